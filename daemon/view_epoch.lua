-- KEYS head
-- ARGV format, state e q h c of the head that was seen, new e
--
-- If the head is what was seen: only its epoch becomes the new one.

if #KEYS ~= 1 or #ARGV ~= 7 then
	return bad_call('view_epoch')
end
local head = read_head(KEYS[1], ARGV[1])
if ARGV[2] == 'M' or not is_seen(head, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]) then
	if head[1] == 'X' then
		return {'BROKEN', head, KEYS[1] .. ' holds no head of this format'}
	end
	return {'STALE', head}
end
local refused = redis.pcall('HSET', KEYS[1], 'e', ARGV[7])
if type(refused) == 'table' and refused.err then
	return refused
end
head[2] = ARGV[7]
return {'OK', head}
