-- KEYS head lead ident ring mem due pages
-- ARGV format, epoch, chunk, next chunk, then the groups of the writes (write_all)
--
-- If the head is loading with (epoch, chunk): the writes, then the next chunk's number.
-- A head that is one chunk ahead is STALE, not done: only the caller knows whether it has begun twice under this epoch.

local WRITES = 5
local containers = {KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]}
if #KEYS ~= 7 or #ARGV < WRITES or not is_number(ARGV[4]) or not writes_fit(WRITES) then
	return bad_call('view_rebuild_chunk')
end
local head = read_head(KEYS[1], ARGV[1])
if not is_seen(head, 'L', ARGV[2], '', '', ARGV[3]) then
	return {'STALE', head}
end
local wrong = wrong_type(containers, KINDS)
if wrong then
	return {'BROKEN', head, wrong}
end
local is_planned, plan = pcall(plan_timers, containers, WRITES)
if not is_planned then
	return bad_pages(head, KEYS[6], plan)
end

local refused = redis.pcall('HSET', KEYS[1], 'fmt', ARGV[1])
if type(refused) == 'table' and refused.err then
	return refused
end
write_all(containers, WRITES)
write_timers(containers, plan)
redis.call('HSET', KEYS[1], 'c', ARGV[4])
return {'OK', {'L', ARGV[2], '', '', '', ARGV[4]}}
