-- KEYS head
-- ARGV format, chunk, e q h pos of the head that is reached
--
-- If the head is loading with (e, chunk): it becomes normal. The mark's own field goes first, the state last.

if #KEYS ~= 1 or #ARGV ~= 6 then
	return bad_call('view_rebuild_finish')
end
local head = read_head(KEYS[1], ARGV[1])
if not is_seen(head, 'L', ARGV[3], '', '', ARGV[2]) then
	return {'STALE', head}
end
local refused = redis.pcall('HSET', KEYS[1], 'fmt', ARGV[1])
if type(refused) == 'table' and refused.err then
	return refused
end
redis.call('HDEL', KEYS[1], 'c')
redis.call('HSET', KEYS[1], 'q', ARGV[4], 'h', ARGV[5], 'pos', ARGV[6], 's', 'N')
return {'OK', {'N', ARGV[3], ARGV[4], ARGV[5], ARGV[6], ''}}
