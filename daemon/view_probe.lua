-- KEYS a hash and a zset that hold nothing
-- -> 'OK', or NOPERM with the first command that this user may not call
--
-- Runs with every round of checks: a permission that is missing must show before a write-set is half written.

local function try(command, ...)
	local answer = redis.pcall(command, ...)
	local err = type(answer) == 'table' and answer.err or ''
	-- as Redis 6.2 and 7.0 word it inside a script, and as 7.2 does
	if string.find(err, 'user executing the script', 1, true) or string.find(err, 'ACL failure', 1, true) then
		return redis.error_reply('NOPERM this user may not call ' .. command .. ' on {lr:*')
	end
	return nil
end

return try('HSET', KEYS[1], 'probe', '1') or try('HMGET', KEYS[1], 'probe') or try('HGETALL', KEYS[1]) or try('HSCAN', KEYS[1], '0')
	or try('HKEYS', KEYS[1]) or try('TYPE', KEYS[1]) or try('HDEL', KEYS[1], 'probe')
	or try('ZADD', KEYS[2], '0', 'probe') or try('ZRANGEBYLEX', KEYS[2], '-', '+') or try('ZREVRANGEBYLEX', KEYS[2], '+', '-')
	or try('ZREM', KEYS[2], 'probe') or try('UNLINK', KEYS[1], KEYS[2]) or redis.status_reply('OK')
