-- KEYS head ring
-- ARGV format
-- -> 'OK', head, {team id, value, team id, value, …}

if #KEYS ~= 2 or #ARGV ~= 1 then
	return bad_call('view_rings')
end
local head = read_head(KEYS[1], ARGV[1])
if head[1] == 'X' then
	return {'BROKEN', head, KEYS[1] .. ' holds no head of this format'}
elseif head[1] ~= 'N' then
	return {'OK', head, {}}
end
local wrong = wrong_type({KEYS[2]}, {'hash'})
if wrong then
	return {'BROKEN', head, wrong}
end
return {'OK', head, redis.call('HGETALL', KEYS[2])}
