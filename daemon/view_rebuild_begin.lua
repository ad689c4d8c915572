-- KEYS head lead ident ring mem due pages
-- ARGV format, state e q h c of the head that was seen, epoch of the rebuilder
--
-- If the head is what was seen: the loading mark first, then everything else goes, whatever it is.

if #KEYS ~= 7 or #ARGV ~= 7 then
	return bad_call('view_rebuild_begin')
end
local head = read_head(KEYS[1], ARGV[1])
if not is_seen(head, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]) then
	return {'STALE', head}
end

-- A key of another type cannot be marked; nothing of it is ours, so it may go first.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then
	redis.call('UNLINK', KEYS[1])
end
local refused = redis.pcall('HSET', KEYS[1], 's', 'L', 'e', ARGV[7], 'c', '0', 'fmt', ARGV[1])
if type(refused) == 'table' and refused.err then
	return refused
end
local is_kept = {s = true, e = true, c = true, fmt = true}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
	if not is_kept[field] then
		redis.call('HDEL', KEYS[1], field)
	end
end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7])
return {'OK', {'L', ARGV[7], '', '', '', '0'}}
