-- All windows of one key in one step: see protocol.py for the definition.
-- KEYS[1]  list of acceptance times in microseconds, newest first
-- ARGV     clock ('' takes the server's), cost, quota 1, microseconds 1, quota 2, ...
-- returns  {allowed, retry after, then for each window: remaining, reset, violated}
local log = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local cost = tonumber(ARGV[2])
local length = redis.call('LLEN', log)
local windows = (#ARGV - 2) / 2
local allowed, retry, longest, largest = 1, 0, 0, 0
local count, violated = {}, {}

local function at(index)
  return tonumber(redis.call('LINDEX', log, index))
end

-- Newest first, so the units inside a window are a prefix of the list; a longer window holds at
-- least what a shorter one does. Only the edge has to be found.
local inside = 0
for w = 1, windows do
  local quota, width = tonumber(ARGV[1 + 2 * w]), tonumber(ARGV[2 + 2 * w])
  local low, high = inside, length
  if low < high and now - at(high - 1) < width then low = high end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if now - at(middle) < width then low = middle + 1 else high = middle end
  end
  inside = low
  count[w] = low
  violated[w] = 0
  if low + cost > quota then
    allowed = 0
    violated[w] = 1
    if cost <= quota then
      -- Room comes when the unit that is one too many leaves.
      local wait = at(quota - cost) + width - now
      if wait > retry then retry = wait end
    else
      retry = math.max(retry, width)
    end
  end
  if width > longest then longest = width end
  if quota > largest then largest = quota end
end

if allowed == 1 then
  local stamp = string.format('%.0f', now)
  for _ = 1, cost do redis.call('LPUSH', log, stamp) end
  redis.call('LTRIM', log, 0, largest - 1)
  redis.call('PEXPIRE', log, math.ceil(longest / 1000))
end

local reply = {allowed, retry}
for w = 1, windows do
  local quota, width = tonumber(ARGV[1 + 2 * w]), tonumber(ARGV[2 + 2 * w])
  local reset = 0
  if allowed == 1 then
    -- The new units sit before the counted ones.
    local units = math.min(count[w] + cost, largest)
    count[w] = count[w] + cost
    reset = at(units - 1) + width - now
  elseif count[w] > 0 then
    reset = at(count[w] - 1) + width - now
  end
  reply[#reply + 1] = math.max(quota - count[w], 0)
  reply[#reply + 1] = reset
  reply[#reply + 1] = violated[w]
end
return reply
