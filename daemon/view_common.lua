-- Put in front of every script of the view when it is built in (view_scripts.c).
--
-- Every answer is {status, head, ...}: status 'OK', 'STALE' (nothing was written) or 'BROKEN' (foreign data; nothing was
-- written; then the third item is a text), and head is {state, e, q, h, pos, c} of the moment after the script.
-- A state is 'N' normal, 'L' loading, 'M' missing, 'X' present but not ours. Numbers stay texts: Lua's are doubles.
--
-- Rules (reliability.md W14): all keys are in KEYS; everything is checked before the first write; the first write needs
-- memory, so that maxmemory refuses the whole script; the head's new position comes last.

local SLICE = 1000 -- arguments of one command: unpack() has a limit near 7,000

-- A decimal below 10^18 without leading zeros.
local function is_number(text)
	return text and #text <= 18 and (text == '0' or string.find(text, '^[1-9]%d*$') ~= nil)
end

local function is_hash(text)
	return text and #text == 16 and string.find(text, '^[0-9a-f]*$') ~= nil
end

local function is_normal(f, format)
	return f[1] == 'N' and f[7] == format and is_number(f[2]) and is_number(f[3]) and is_hash(f[4]) and is_number(f[5])
end

local function is_loading(f, format)
	return f[1] == 'L' and f[7] == format and is_number(f[2]) and is_number(f[6])
end

local function read_head(key, format)
	local kind = redis.call('TYPE', key).ok
	if kind == 'none' then
		return {'M', '', '', '', '', ''}
	end
	if kind == 'hash' then
		local f = redis.call('HMGET', key, 's', 'e', 'q', 'h', 'pos', 'c', 'fmt')
		if is_normal(f, format) then
			return {'N', f[2], f[3], f[4], f[5], ''}
		elseif is_loading(f, format) then
			return {'L', f[2], '', '', '', f[6]}
		end
	end
	return {'X', '', '', '', '', ''}
end

-- nil, or what is wrong with the types of the containers.
local function wrong_type(keys, kinds)
	for i = 1, #keys do
		local kind = redis.call('TYPE', keys[i]).ok
		if kind ~= 'none' and kind ~= kinds[i] then
			return keys[i] .. ' is a ' .. kind
		end
	end
end

-- 'M' as expected state stands for "no head of ours": missing or unusable, so that foreign data can be replaced.
local function is_seen(head, state, e, q, h, c)
	if state == 'M' then
		return head[1] == 'M' or head[1] == 'X'
	end
	return head[1] == state and head[2] == e and head[3] == q and head[4] == h and head[6] == c
end

-- For one key: command(key, ...) over list[from .. from + count - 1], at most SLICE arguments at a time.
local function call_in_slices(command, key, list, from, count)
	local last = from + count - 1
	while from <= last do
		local to = math.min(from + SLICE - 1, last)
		redis.call(command, key, unpack(list, from, to))
		from = to + 1
	end
end

-- The groups of a write-set, in this order: command, index into `keys`, arguments per entry. ARGV[at ..] are the numbers of
-- entries per group, and behind them all arguments. The last one are the timers that the new values speak of, as sorted entries
-- of pages (view_pages.lua): what becomes of them, and of the timers that there are, is planned first (view_plan.lua).
local GROUPS = {
	{'HSET', 1, 2}, {'HDEL', 1, 1}, {'HSET', 2, 2}, {'HDEL', 2, 1},
	{'HSET', 3, 2}, {'HDEL', 3, 1}, {'HSET', 4, 2}, {'HDEL', 4, 1}, {nil, 5, 1},
}
local KINDS = {'hash', 'hash', 'hash', 'hash', 'hash', 'zset'}
local TIMED = {[1] = '', [4] = 'mem/'} -- whose values can be due, and what their timers' ids begin with
local DUE, INDEX = 5, 6

local function writes_fit(at)
	local need = at + #GROUPS - 1
	for i = 1, #GROUPS do
		local count = ARGV[at + i - 1]
		if not is_number(count) then
			return false
		end
		need = need + tonumber(count) * GROUPS[i][3]
	end
	return need == #ARGV
end

-- fn(group, place of its first argument in ARGV, number of arguments)
local function for_each_group(at, fn)
	local from = at + #GROUPS
	for i = 1, #GROUPS do
		local count = tonumber(ARGV[at + i - 1]) * GROUPS[i][3]
		fn(GROUPS[i], from, count)
		from = from + count
	end
end

-- Absolute values only, so that doing it twice is doing it once.
local function write_all(keys, at)
	for_each_group(at, function(group, from, count)
		if group[1] then
			call_in_slices(group[1], keys[group[2]], ARGV, from, count)
		end
	end)
end

-- Values of a hash's fields, in slices.
local function get_all(key, fields)
	if #fields > 0 and #fields <= SLICE then
		return redis.call('HMGET', key, unpack(fields))
	end
	local values = {}
	for from = 1, #fields, SLICE do
		local part = redis.call('HMGET', key, unpack(fields, from, math.min(from + SLICE - 1, #fields)))
		for i = 1, #part do
			values[#values + 1] = part[i]
		end
	end
	return values
end

local function bad_call(name)
	return redis.error_reply('ERR ' .. name .. ' of leadrouter was called with wrong arguments')
end
