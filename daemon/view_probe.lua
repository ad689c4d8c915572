-- KEYS a hash and a zset that hold nothing
-- -> 'OK', or the error of the first command that this user may not call
--
-- Runs once per connection: a permission that is missing must show before a write-set is half written.

local function try(...)
	local answer = redis.pcall(...)
	if type(answer) == 'table' and answer.err and string.find(answer.err, 'NOPERM', 1, true) then
		return answer
	end
	return nil
end

return try('HSET', KEYS[1], 'probe', '1') or try('HMGET', KEYS[1], 'probe') or try('HGETALL', KEYS[1])
	or try('HKEYS', KEYS[1]) or try('TYPE', KEYS[1]) or try('HDEL', KEYS[1], 'probe')
	or try('ZADD', KEYS[2], '1', 'probe') or try('ZRANGEBYSCORE', KEYS[2], '-inf', '+inf')
	or try('ZREM', KEYS[2], 'probe') or try('UNLINK', KEYS[1], KEYS[2]) or redis.status_reply('OK')
