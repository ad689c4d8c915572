-- What a write-set does to the pages of timers. Put behind view_pages.lua in front of the scripts that write.
--
-- Texts are what costs: a new one takes Lua a ns per byte. So a page is small, is read and put together once however many timers
-- of a call are in it, and is put in order only when it is split.

local byte, find, concat = string.byte, string.find, table.concat

local PAGE_BYTES = 1024 -- above it a page is split: some sixty timers (tests/bench/pages.py measures other sizes)
local PIECE_BYTES = 768 -- at most so much is put into a piece of it
local FEW = 4 -- so many entries are looked for one by one
local DUE_MAX = 2 ^ 48 - 1

-- The entry of the timer that a stored value speaks of; nil: none.
local function entry_in(value, id)
	local due = tonumber(string.match(value, '^{"due":(%d+)') or 0)
	if due > 0 then
		return struct.pack('>BI6', 6 + #id, math.min(due, DUE_MAX)) .. id
	end
end

local function entries_in(page)
	local entries, at = {}, 1
	while at <= #page do
		local behind = at + byte(page, at) + 1
		entries[#entries + 1] = sub(page, at, behind - 1)
		at = behind
	end
	if at ~= #page + 1 then
		error('a page is torn')
	end
	return entries
end

-- The bounds of the pages that sorted entries belong to; without a page, of the one that is to become the first. All entries
-- between two of one page are in it, so a burst costs two questions.
local function bounds_for(index_key, entries)
	local bounds = {}
	local function ask(i)
		local bound = bounds[i] or call('ZREVRANGEBYLEX', index_key, '[' .. sub(entries[i], 2), '-', 'LIMIT', 0, 1)[1]
			or call('ZRANGEBYLEX', index_key, '-', '+', 'LIMIT', 0, 1)[1] or sub(entries[1], 2)
		bounds[i] = bound
		return bound
	end
	local function fill(low, high)
		if ask(low) == ask(high) then
			for i = low + 1, high - 1 do
				bounds[i] = bounds[low]
			end
		elseif high - low > 1 then
			local middle = math.floor((low + high) / 2)
			fill(low, middle)
			fill(middle, high)
		end
	end
	if #entries > 0 then
		fill(1, #entries)
	end
	return bounds
end

-- The page without an entry that is in it; nil if bytes of others look the same.
local function cut_one(page, entry)
	local from, to = find(page, entry, 1, true)
	if from and not find(page, entry, from + 1, true) then
		return sub(page, 1, from - 1) .. sub(page, to + 1)
	end
end

local function cut_many(page, going)
	local is_going, left = {}, #going
	for i = 1, #going do
		is_going[going[i]] = true
	end
	local entries, kept = entries_in(page), {}
	for i = 1, #entries do
		if is_going[entries[i]] then
			left = left - 1
		else
			kept[#kept + 1] = entries[i]
		end
	end
	if left ~= 0 then
		error('a timer is not in its page')
	end
	return concat(kept)
end

local function cut(page, going)
	local rest = #going <= FEW and page
	for i = 1, #going do
		rest = rest and cut_one(rest, going[i])
	end
	return rest or cut_many(page, going)
end

-- Pieces of about equal size into changes[bound].
local function split(page, changes)
	local entries = sort_bytes(entries_in(page), 2)
	local size = #page / math.max(2, math.ceil(#page / PIECE_BYTES))
	local bytes, first = 0, 1
	for i = 1, #entries do
		bytes = bytes + #entries[i]
		if bytes >= size or i == #entries then
			changes[sub(entries[first], 2)] = concat(entries, '', first, i)
			bytes, first = 0, i + 1
		end
	end
end

-- {[bound] = {going = …, coming = …}} of entries, and the bounds in an order of their own.
local function group_by_page(index_key, going, coming)
	local groups, order = {}, {}
	local function add(kind, entries)
		local bounds = bounds_for(index_key, entries)
		for i = 1, #entries do
			local group = groups[bounds[i]]
			if not group then
				group = {going = {}, coming = {}}
				groups[bounds[i]] = group
				order[#order + 1] = bounds[i]
			end
			local list = group[kind]
			list[#list + 1] = entries[i]
		end
	end
	add('going', sort_bytes(going, 2))
	add('coming', coming)
	return groups, order
end

-- changes[bound]: what the page there becomes, false when it goes; is_there[bound]: one that is in the index.
local function change_pages(due_key, index_key, going, coming)
	local groups, order = group_by_page(index_key, going, coming)
	local is_empty = call('TYPE', index_key).ok == 'none'
	if is_empty and (#going > 0 or call('TYPE', due_key).ok ~= 'none') then
		error('the index is missing')
	end
	local pages, changes, is_there = is_empty and {''} or pages_at(due_key, order), {}, {}
	for i = 1, #order do
		local group, page = groups[order[i]], pages[i]
		if #group.going > 0 then
			page = cut(page, group.going)
		end
		page = page .. concat(group.coming)
		is_there[order[i]] = not is_empty
		changes[order[i]] = #page <= PAGE_BYTES and page ~= '' and page
		if #page > PAGE_BYTES then
			split(page, changes) -- the first piece may begin elsewhere than the page did
		end
	end
	return changes, is_there
end

-- The timers that go, as the values that are there now tell, and those that come: the entries of the write-set, but for those
-- that are there already.
local function compare_timers(keys, at)
	local is_coming, going, coming = {}, {}, {}
	for_each_group(at, function(group, from, count)
		if group[2] == DUE then
			for i = from, from + count - 1 do
				is_coming[ARGV[i]] = true
			end
		end
	end)
	for_each_group(at, function(group, from, count)
		local prefix, fields = TIMED[group[2]], {}
		for i = from, prefix and from + count - 1 or 0, group[3] do
			fields[#fields + 1] = ARGV[i]
		end
		local values = get_all(keys[group[2]], fields)
		for i = 1, #fields do
			local entry = values[i] and entry_in(values[i], prefix .. fields[i])
			if entry and is_coming[entry] then
				is_coming[entry] = nil
			elseif entry then
				going[#going + 1] = entry
			end
		end
		for i = from, group[2] == DUE and from + count - 1 or 0 do
			if is_coming[ARGV[i]] then
				coming[#coming + 1] = ARGV[i]
			end
		end
	end)
	return going, coming
end

-- What a write-set does to the pages, as arguments of four commands.
local function plan_timers(keys, at)
	local plan = {set = {}, index = {}, drop = {}}
	local going, coming = compare_timers(keys, at)
	if #going + #coming == 0 then
		return plan
	end
	local changes, is_there = change_pages(keys[DUE], keys[INDEX], going, coming)
	for bound, page in pairs(changes) do
		if page then
			plan.set[#plan.set + 1] = bound
			plan.set[#plan.set + 1] = page
		elseif is_there[bound] then
			plan.drop[#plan.drop + 1] = bound
		end
		if page and not is_there[bound] then
			plan.index[#plan.index + 1] = 0
			plan.index[#plan.index + 1] = bound
		end
	end
	return plan
end

local function write_timers(keys, plan)
	call_in_slices('HSET', keys[DUE], plan.set, 1, #plan.set)
	call_in_slices('ZADD', keys[INDEX], plan.index, 1, #plan.index)
	call_in_slices('HDEL', keys[DUE], plan.drop, 1, #plan.drop)
	call_in_slices('ZREM', keys[INDEX], plan.drop, 1, #plan.drop)
end
