-- KEYS head lead ident due pages
-- ARGV format due_until due_limit walk_cursor walk_count n_lead n_ident, n_lead lead ids, n_ident identity keys
-- -> 'OK', head, values of the leads, values of the identities, ids of further leads, their values, due ids, next due,
--    walked ids, next cursor
--
-- Further leads are those that an identity points to ("<ms> <lead id>"), that are due or walked over, and those that any of
-- these or of the leads asked for may be merged with ("contest"), each once and only if not asked for. A due id is a
-- lead id or a whole memory key ("mem/…"), in order of due time and id. next due is when the earliest timer is due that is not
-- among the due ids, or ''. Values of leads are as stored: with "due" in front (view_pages.lua).

-- The entries that are due, and the earliest due time of the others or nil.
local function split_by_time(page, until_ms)
	local early, next_ms, at = {}, nil, 1
	while at <= #page do
		local len, due = unpack_bytes('>BI6', page, at)
		if due <= until_ms then
			early[#early + 1] = sub(page, at, at + len)
		elseif not next_ms or due < next_ms then
			next_ms = due
		end
		at = at + len + 1
	end
	if at ~= #page + 1 then
		error('a page is torn')
	end
	return early, next_ms
end

-- Ids of what is due at or before `until_ms`, at most `limit`, in order, and the due time of the first one that is not among
-- them, or ''. Reads no page but those that it takes from and the one behind.
local function read_due(due_key, index_key, until_ms, limit)
	local ids, above = {}, '-'
	while true do
		local bound = call('ZRANGEBYLEX', index_key, above, '+', 'LIMIT', 0, 1)[1]
		if not bound then
			return ids, ''
		end
		local early, next_ms = split_by_time(pages_at(due_key, {bound})[1], until_ms)
		early = sort_bytes(early, 2)
		for i = 1, #early do
			if #ids == limit then
				next_ms = unpack_bytes('>I6', early[i], 2)
				break
			end
			ids[#ids + 1] = sub(early[i], 8)
		end
		if next_ms then
			return ids, string.format('%.0f', next_ms)
		end
		above = '(' .. bound
	end
end

if #KEYS ~= 5 or #ARGV < 7 then
	return bad_call('view_read')
end
local n_lead, n_ident = tonumber(ARGV[6]), tonumber(ARGV[7])
if not n_lead or not n_ident or #ARGV ~= 7 + n_lead + n_ident then
	return bad_call('view_read')
end

local head = read_head(KEYS[1], ARGV[1])
if head[1] == 'X' then
	return {'BROKEN', head, KEYS[1] .. ' holds no head of this format'}
elseif head[1] ~= 'N' then
	return {'OK', head, {}, {}, {}, {}, {}, '', {}, ''}
end
local wrong = wrong_type({KEYS[2], KEYS[3], KEYS[4], KEYS[5]}, {'hash', 'hash', 'hash', 'zset'})
if wrong then
	return {'BROKEN', head, wrong}
end

local is_known, leads, idents = {}, {}, {}
for i = 1, n_lead do
	leads[i] = ARGV[7 + i]
	is_known[leads[i]] = true
end
for i = 1, n_ident do
	idents[i] = ARGV[7 + n_lead + i]
end
local lead_values = get_all(KEYS[2], leads)
local ident_values = get_all(KEYS[3], idents)

local further = {}
local function add_further(id)
	if id ~= '' and not is_known[id] then
		is_known[id] = true
		further[#further + 1] = id
	end
end
for i = 1, #ident_values do
	local blank = ident_values[i] and string.find(ident_values[i], ' ', 1, true)
	if blank then
		add_further(string.sub(ident_values[i], blank + 1))
	end
end

-- What is due, and when the next one will be: most reads find nothing due, and must not carry what is due some day.
local due_until, due_limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local is_read, due, next_due = pcall(read_due, KEYS[4], KEYS[5], due_until, due_until > 0 and due_limit or 0)
if not is_read then
	return bad_pages(head, KEYS[4], due)
end
for i = 1, #due do
	if not string.find(due[i], '/', 1, true) then -- a memory key's value is with the shard
		add_further(due[i])
	end
end

-- A step of a walk over all leads; cursor '' is none, '0' the first.
local walked, next_cursor = {}, ''
if ARGV[4] ~= '' then
	local step = redis.call('HSCAN', KEYS[2], ARGV[4], 'COUNT', ARGV[5])
	next_cursor = step[1]
	for i = 1, #step[2], 2 do
		walked[#walked + 1] = step[2][i]
		add_further(step[2][i])
	end
end

local further_values = get_all(KEYS[2], further)
local beside = {}
local function add_beside(values)
	for i = 1, #values do
		local _, mark = string.find(values[i] or '', '"contest":"', 1, true)
		local id = mark and string.match(values[i], '^[^"]+', mark + 1)
		if id and not is_known[id] then
			is_known[id] = true
			beside[#beside + 1] = id
		end
	end
end
add_beside(lead_values)
add_beside(further_values)
local beside_values = get_all(KEYS[2], beside)
for i = 1, #beside do
	further[#further + 1] = beside[i]
	further_values[#further] = beside_values[i]
end

return {'OK', head, lead_values, ident_values, further, further_values, due, next_due, walked, next_cursor}
