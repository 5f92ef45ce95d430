"""Tallies that processes share: the same as in `tallies.py`, kept in the store by one script for each request.

The store runs a script whole, so there is no moment between looking and drawing in which another process could draw. Its
clock counts, not ours. A tally is one value that ends by itself when nothing in it matters any more.
"""

from collections.abc import Sequence

from muster.kit.store.connection import Reply
from muster.kit.store.store import Script, Store
from muster.kit.tallies import VIOLATIONS, Draw, Standing

# A tally is packed as: banned until, refusals, refused since, then when and how many of each draw. Times are milliseconds.
# Two groups of draws: those of the edge stay drawn also where the others are refused.
_TAKE = Script("""
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local violations, edge = tonumber(ARGV[1]), tonumber(ARGV[2])

local function draw_at(i)
  local at = 3 + (i - 1) * 4
  local most, window, part, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local draw = {key = KEYS[i], most = most, window = window, part = part, count = count, used = 0}
  local kept = redis.call('GET', draw.key)
  local packed = kept and cmsgpack.unpack(kept) or {0, 0, 0}
  local tally = {packed[1], packed[2], packed[3]}
  for at = 4, #packed, 2 do
    -- A clock that was set back must not keep anybody waiting for more than a window.
    local ends = math.min(packed[at], now + window + part)
    if ends > now then
      tally[#tally + 1], tally[#tally + 2] = ends, packed[at + 1]
      draw.used = draw.used + packed[at + 1]
    end
  end
  tally[1] = math.min(tally[1], now + window)
  draw.tally = tally
  return draw
end

local function wait_of(draw)
  if now < draw.tally[1] then return draw.tally[1] - now end
  local over = draw.used + draw.count - draw.most
  if over <= 0 then return 0 end
  if draw.count > draw.most then return draw.window end
  for at = 4, #draw.tally, 2 do
    over = over - draw.tally[at + 1]
    if over <= 0 then return draw.tally[at] - now end
  end
end

local function keep(draw)
  local tally = draw.tally
  local ends = math.max(tally[1], tally[#tally - 1], tally[3] + draw.window)
  if ends > now then redis.call('SET', draw.key, cmsgpack.pack(tally), 'PX', ends - now) end
end

local function add(draw)
  local tally, part = draw.tally, draw.part
  local ends = draw.window + (part == 0 and now or math.ceil(now / part) * part)
  local last = #tally - 1
  if part > 0 and last > 3 and tally[last] >= ends then
    tally[last + 1] = tally[last + 1] + draw.count
  else
    tally[#tally + 1], tally[#tally + 2] = ends, draw.count
  end
  draw.used = draw.used + draw.count
  keep(draw)
end

local function refuse(draw, wait)
  local tally = draw.tally
  if violations > 0 and now >= tally[1] then
    if now - tally[3] >= draw.window then tally[2], tally[3] = 0, now end
    tally[2] = tally[2] + 1
    if tally[2] == violations then
      tally[1] = now + draw.window
      wait = math.max(wait, draw.window)
    end
    keep(draw)
  end
  return wait
end

local tightest, room, used
local function take(first, last)
  local draws, longest, where = {}, 0, nil
  for i = first, last do
    draws[i] = draw_at(i)
    local wait = wait_of(draws[i])
    if wait > longest then longest, where = wait, i end
  end
  if where then return {where, draws[where].used, refuse(draws[where], longest)} end
  for i = first, last do
    add(draws[i])
    if not room or draws[i].most - draws[i].used < room then
      tightest, room, used = i, draws[i].most - draws[i].used, draws[i].used
    end
  end
end

return take(1, edge) or take(edge + 1, #KEYS) or {tightest, used, 0}
""")


class SharedTallies:
    """The tallies of all processes of one deployment. bans: whether who does not stop is banned."""

    def __init__(self, store: Store, *, bans: bool) -> None:
        self._store = store
        self._violations = VIOLATIONS if bans else 0

    async def take(self, edge: Sequence[Draw], draws: Sequence[Draw]) -> Standing:
        """Make the draws of the edge, and then all of the others or, where one finds no room, none of them.

        Raises StoreDown, StoreRefused.
        """
        keys, arguments = [], [self._violations, len(edge)]
        for bucket, whose, number in (*edge, *draws):
            rule = bucket.rule
            keys.append(f"{self._store.prefix}rate:{bucket.limit.name}:{rule.seconds}:{whose}")
            arguments += (rule.most, rule.seconds * 1000, int(bucket.part * 1000), number)
        reply: Reply = await self._store.run(_TAKE, keys=keys, arguments=arguments)
        where, used, milliseconds = reply
        return Standing((*edge, *draws)[where - 1].bucket, used, milliseconds / 1000)
