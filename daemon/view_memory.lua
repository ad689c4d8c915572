-- KEYS head ring mem
-- ARGV format
-- -> 'OK', head, {team id, value, …}, {rest of "mem/<…>", value, …}

if #KEYS ~= 3 or #ARGV ~= 1 then
	return bad_call('view_memory')
end
local head = read_head(KEYS[1], ARGV[1])
if head[1] == 'X' then
	return {'BROKEN', head, KEYS[1] .. ' holds no head of this format'}
elseif head[1] ~= 'N' then
	return {'OK', head, {}, {}}
end
local wrong = wrong_type({KEYS[2], KEYS[3]}, {'hash', 'hash'})
if wrong then
	return {'BROKEN', head, wrong}
end
return {'OK', head, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3])}
