-- KEYS head lead ident ring mem due pages
-- ARGV format, e q h before, e q h pos after, then the groups of the write-set (write_all)
--
-- If the head is normal and is `before`: the writes, then the head `after`. A head that is `after` already means that this
-- very batch has been applied before, because q and h name its content.

local BEFORE, AFTER, WRITES = 2, 5, 9
local containers = {KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]}
if #KEYS ~= 7 or #ARGV < WRITES or not writes_fit(WRITES) then
	return bad_call('view_apply')
end

local function is_at(head, at)
	return head[1] == 'N' and head[2] == ARGV[at] and head[3] == ARGV[at + 1] and head[4] == ARGV[at + 2]
end

local head = read_head(KEYS[1], ARGV[1])
if not is_at(head, BEFORE) then
	if is_at(head, AFTER) then
		return {'OK', head}
	elseif head[1] == 'X' then
		return {'BROKEN', head, KEYS[1] .. ' holds no head of this format'}
	end
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
redis.call('HSET', KEYS[1], 'e', ARGV[AFTER], 'q', ARGV[AFTER + 1], 'h', ARGV[AFTER + 2], 'pos', ARGV[AFTER + 3])
return {'OK', {'N', ARGV[AFTER], ARGV[AFTER + 1], ARGV[AFTER + 2], ARGV[AFTER + 3], ''}}
