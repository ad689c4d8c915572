-- Timers in pages. Put behind view_common.lua in front of the scripts that read timers or change them.
--
-- A place is 6 bytes of due time (ms, big-endian) and an id: a lead's, or a whole memory key. Places are ordered by their bytes,
-- so the ids order what is due in the same ms. An entry is a place behind its length (1 byte); a page is entries in any order.
-- Two levels: `due` is a hash of pages; `pages` is a zset whose members are the fields of that hash, all with the score 0.
-- A page holds the places from its own field, its bound, to the next bound; the first one also those before. A bound is the
-- first place of a piece that was split off, so pages are as narrow as the timers are dense, down to the ids of one ms.
--
-- Why: a zset of the timers themselves costs 110 bytes each, pages cost 22. Timers that are set together for about the same time
-- cost the CPU about as much as there, one that is moved by itself twice as much. Fixed slots of time would be simpler, but all
-- leads of a night may have the very same deadline, and others one a day.
--
-- Where a timer is now is told by the value that it belongs to ("due", its first member), so whoever changes the value knows
-- which entry to take away. All changes of a call are planned (view_plan.lua) before the first of them is written.

local call, sub, unpack_bytes = redis.call, string.sub, struct.unpack

-- Texts that differ, in the order of their bytes from `from` on. Not by `<`, which goes by the locale that the server was
-- started in: six bytes are a number that a double holds exactly, and how many of them there are goes behind it.
local function sort_bytes(texts, from)
	if #texts < 2 then
		return texts
	end
	local found, keys, shared, sorted = {}, {}, {}, {}
	for i = 1, #texts do
		local text, key = texts[i]
		local left = #text - from + 1
		if left >= 6 then
			key = unpack_bytes('>I6', text, from) * 8 + 6
		else
			key = unpack_bytes('>I6', sub(text, from) .. string.rep('\0', 6 - left)) * 8 + left
		end
		local first = found[key]
		if not first then
			found[key] = text
			keys[#keys + 1] = key
		elseif shared[key] then
			shared[key][#shared[key] + 1] = text
		else
			shared[key] = {first, text}
		end
	end
	table.sort(keys)
	for i = 1, #keys do
		local same = shared[keys[i]]
		if same then
			same = sort_bytes(same, from + 6)
			for j = 1, #same do
				sorted[#sorted + 1] = same[j]
			end
		else
			sorted[#sorted + 1] = found[keys[i]]
		end
	end
	return sorted
end

local function pages_at(due_key, bounds)
	local pages = get_all(due_key, bounds)
	for i = 1, #bounds do
		if not pages[i] or pages[i] == '' then
			error('a page is missing')
		end
	end
	return pages
end

-- The answer when reading or planning has failed: an error of the server as it is, else the pages are not ours.
local function bad_pages(head, key, why)
	if type(why) == 'table' then
		return why
	end
	return {'BROKEN', head, key .. ' holds no pages of timers: ' .. why}
end
