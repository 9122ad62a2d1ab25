-- Many operations in one step, in the order in which they came; see protocol.py for the definition.
--
-- KEYS     per renewed or ended place its set of leases; per check the log of its windows, then
--          one set of leases per cap
-- ARGV[1]  '' takes the server's clock; else packed microseconds, one number per operation
-- ARGV[..] per operation a letter with packed numbers, then the lease's id if there is one:
--          E             end a place
--          N life        renew it
--          C caps windows cost, largest quota, longest width, quota and width of each window,
--                        with caps also life of a lease and limit of each cap
-- returns  the clock, then one answer per check, packed: code (0 allowed; below 128 a bit per
--          violated window; 128 + index of the cap that refused), retry after, per window what
--          is left, per window the reset
--
-- A log is a string of doubles: microseconds of each accepted unit, oldest first. Unlike a list it
-- is read at any place in constant time. A set of leases has their ends as scores.
-- Each key is read and written by the operations that name it only.
local spread, call, pack, unpack = unpack, redis.call, struct.pack, struct.unpack
local byte, floor, ceil = string.byte, math.floor, math.ceil
local BLOCK = 64           -- newest units that are read at once
local MAX_UNITS = 4194304  -- of one log; a larger quota is never used up
local KEYS, ARGV = KEYS, ARGV
local logs, sets, plans, answers = {}, {}, {}, {}
local clocks, now = ARGV[1], 0
if clocks == '' then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end

-- Microseconds of a stored unit; 0 is the newest one.
local function stored(log, index)
  if index < log.held then return (unpack('<d', log.tail, #log.tail - 8 * index - 7)) end
  return (unpack('<d', call('GETRANGE', log.key, -8 * index - 8, -8 * index - 1)))
end

-- Units added in this call share one time, `stamp`, and are written together.
local function write(log)
  local added, key, stamp = log.added, log.key, log.stamp
  if added == 0 then return end
  local units = pack('<d', stamp)
  if added > 1 then units = units:rep(added) end
  call('APPEND', key, units)
  -- Kept somewhat longer than needed, so that not every unit has to prolong it.
  local step = log.longest / 8
  local life, largest = ceil((log.longest + step) / 1000), math.min(log.largest, MAX_UNITS)
  if log.length + added > largest + math.max(BLOCK, largest / 4) then
    call('SET', key, call('GETRANGE', key, -8 * largest, -1), 'PX', life)
  elseif log.length == 0 or floor(log.newest / step) ~= floor(stamp / step) then
    call('PEXPIRE', key, life)
  end
end

local function open(key)
  local tail = call('GETRANGE', key, -8 * BLOCK, -1)
  local held = #tail / 8
  local length, oldest, newest, stamp = held, 0, 0, now
  if held > 0 then
    newest = unpack('<d', tail, #tail - 7)
    -- A clock that was set back must not break the order that the search relies on.
    if newest > now then stamp = newest end
    if held < BLOCK then
      oldest = unpack('<d', tail)
    else
      length = call('STRLEN', key) / 8
      oldest = unpack('<d', call('GETRANGE', key, 0, 7))
    end
  end
  local log = {key = key, now = now, stamp = stamp, newest = newest, oldest = oldest, tail = tail,
               held = held, length = length, added = 0, largest = 0, longest = 0, inside = {}}
  logs[key] = log
  return log
end

-- How many stored units a window holds; they are the newest ones, so only the edge is looked for.
local function search(log, width)
  local low, high = log.inside[width], log.length
  if low then return low end
  low = 0
  if high > log.held then
    if now - stored(log, log.held - 1) < width then low = log.held else high = log.held end
  end
  while low < high do
    local middle = floor((low + high) / 2)
    if now - stored(log, middle) < width then low = middle + 1 else high = middle end
  end
  log.inside[width] = low
  return low
end

local function full(set, limit)
  if call('ZCARD', set) < limit then return false end
  -- Of gateways that died.
  call('ZREMRANGEBYSCORE', set, '-inf', now)
  return call('ZCARD', set) >= limit
end

local function hold(set, lease, life)
  call('ZADD', set, now + life, lease)
  if life > (sets[set] or 0) then sets[set] = life end
end

local function check(plan, caps, windows, key, lease)
  local cost, log = plan[1], logs[KEYS[key]]
  if not log then
    log = open(KEYS[key])
  elseif log.now ~= now then
    write(log)
    log = open(KEYS[key])
  end
  local added, length, age = log.added, log.length, now - log.oldest
  local code, bit, retry, answer = 0, 1, 0, {0, 0}
  for w = 1, windows do
    local quota, width, units = plan[2 + 2 * w], plan[3 + 2 * w], length
    if length > 0 and age >= width then units = search(log, width) end
    units = units + added
    answer[2 + w] = units
    if units + cost > quota then
      code = code + bit
      local wait = width
      if cost <= quota then
        -- Room comes when the unit that is one too many leaves.
        local index = quota - cost - added
        local time = log.stamp
        if index >= 0 then time = stored(log, index) end
        wait = time + width - now
      end
      if wait > retry then retry = wait end
    end
    bit = bit + bit
  end
  if code == 0 and caps > 0 then
    local life = 4 + 2 * windows
    for c = 1, caps do
      if full(KEYS[key + c], plan[life + c]) then
        code, retry = 127 + c, 1000000
        break
      end
    end
    if code == 0 then
      for c = 1, caps do hold(KEYS[key + c], lease, plan[life]) end
    end
  end
  local taken = 0
  if code == 0 then
    taken = cost
    added = added + cost
    log.added = added
    if plan[2] > log.largest then log.largest = plan[2] end
    if plan[3] > log.longest then log.longest = plan[3] end
  end
  for w = 1, windows do
    local units, reset = answer[2 + w] + taken, 0
    if units > 0 then
      local index, time = units - added, log.stamp
      if index == length and index > 0 then
        time = log.oldest
      elseif index > 0 then
        time = stored(log, index - 1)
      end
      reset = time + plan[3 + 2 * w] - now
    end
    units = plan[2 + 2 * w] - units
    if units < 0 then units = 0 end
    answer[2 + w], answer[2 + windows + w] = units, reset
  end
  answer[1], answer[2] = code, retry
  return pack('<B' .. ('I8'):rep(1 + 2 * windows), spread(answer))
end

local key, argument, operation = 1, 2, 0
while argument <= #ARGV do
  local packed = ARGV[argument]
  local kind, caps, windows = byte(packed, 1, 3)
  if clocks ~= '' then now = unpack('<d', clocks, 8 * operation + 1) end
  operation = operation + 1
  if kind == 67 then -- C
    local plan = plans[packed]
    if not plan then
      plan = {unpack('<' .. ('d'):rep((#packed - 3) / 8), packed, 4)}
      plans[packed] = plan
    end
    answers[#answers + 1] = check(plan, caps, windows, key, ARGV[argument + 1])
    key = key + 1 + caps
    if caps > 0 then argument = argument + 1 end
  else
    if kind == 78 then -- N
      hold(KEYS[key], ARGV[argument + 1], (unpack('<d', packed, 2)))
    else
      call('ZREM', KEYS[key], ARGV[argument + 1])
    end
    key, argument = key + 1, argument + 1
  end
  argument = argument + 1
end
for _, log in pairs(logs) do write(log) end
for set, life in pairs(sets) do call('PEXPIRE', set, ceil(life / 1000)) end
return pack('<d', now) .. table.concat(answers)
