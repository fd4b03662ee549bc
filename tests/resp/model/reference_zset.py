"""Sorted sets and places of the plain model: a dict of scores, sorted whenever an order is asked for."""
import math

from reference_base import Base, Fail, bounds, double, integer, keys_and_rest, need, number, random_members
from replies import NULL_ARRAY

INF = float("inf")


def score_bound(text):
    exclusive = text.startswith(b"(")
    text = text[exclusive:].lstrip()
    return number(text) if text else 0.0, exclusive  # strtod skips spaces and makes 0 of nothing


def in_scores(low, high):
    (low, low_out), (high, high_out) = low, high
    return lambda score: (score > low if low_out else score >= low) and (score < high if high_out else score <= high)


def lex_bound(text):
    need(text in (b"-", b"+") or text[:1] in (b"[", b"("))
    return text


def in_lex(low, high):
    def above(member):
        return low == b"-" or low != b"+" and (member > low[1:] if low[:1] == b"(" else member >= low[1:])

    def below(member):
        return high == b"+" or high != b"-" and (member < high[1:] if high[:1] == b"(" else member <= high[1:])
    return lambda member: above(member) and below(member)


def order(scores):
    return sorted(scores.items(), key=lambda item: (item[1], item[0]))


def flat(items, with_scores):
    return [x for member, score in items for x in ((member, double(score)) if with_scores else (member,))]


def limited(items, limit):
    offset, count = limit
    if offset < 0:
        return []
    return items[offset:] if count < 0 else items[offset:offset + count]


class SortedSets(Base):
    def do_zadd(self, a, reply):
        at, flags = 2, set()
        while at < len(a) and a[at].lower() in (b"nx", b"xx", b"gt", b"lt", b"ch", b"incr"):
            flags.add(a[at].lower())
            at += 1
        rest = a[at:]
        need(rest and len(rest) % 2 == 0)
        need(not (b"nx" in flags and flags & {b"xx", b"gt", b"lt"}) and not {b"gt", b"lt"} <= flags)
        need(b"incr" not in flags or len(rest) == 2)
        updates = [(number(score), member) for score, member in zip(rest[::2], rest[1::2])]
        return self.add(a[1], updates, flags)

    def add(self, key, updates, flags):
        scores = self.find(key, "zset")
        if scores is None:
            if b"xx" in flags:
                return None if b"incr" in flags else 0
            scores = {}
        scores = dict(scores)
        added = changed = 0
        result = None
        for score, member in updates:
            old = scores.get(member)
            if old is None:
                if b"xx" in flags:
                    continue
                added += 1
            else:
                if b"nx" in flags:
                    continue
                if b"incr" in flags:
                    score += old
                    need(not math.isnan(score))
                if b"gt" in flags and score <= old or b"lt" in flags and score >= old:
                    continue
                changed += score != old
            if old != score:
                scores[member] = score
            result = score
        if scores:
            self.make(key, "zset", dict)
            self.values[key].data = scores
        if b"incr" in flags:
            return None if result is None else double(result)
        return added + changed if b"ch" in flags else added

    def do_zincrby(self, a, reply):
        return self.add(a[1], [(number(a[2]), a[3])], {b"incr"})

    def do_zrem(self, a, reply):
        scores = self.find(a[1], "zset") or {}
        gone = sum(scores.pop(member, None) is not None for member in a[2:])
        self.settle(a[1])
        return gone

    def do_zscore(self, a, reply):
        score = (self.find(a[1], "zset") or {}).get(a[2])
        return None if score is None else double(score)

    def do_zmscore(self, a, reply):
        scores = self.find(a[1], "zset") or {}
        return [double(scores[member]) if member in scores else None for member in a[2:]]

    def rank(self, a, backwards):
        items = [member for member, _ in order(self.find(a[1], "zset") or {})]
        if a[2] not in items:
            return None
        return (items[::-1] if backwards else items).index(a[2])

    def do_zrank(self, a, reply):
        return self.rank(a, False)

    def do_zrevrank(self, a, reply):
        return self.rank(a, True)

    def do_zcard(self, a, reply):
        return len(self.find(a[1], "zset") or {})

    def do_zcount(self, a, reply):
        inside = in_scores(score_bound(a[2]), score_bound(a[3]))
        return sum(inside(score) for score in (self.find(a[1], "zset") or {}).values())

    def do_zlexcount(self, a, reply):
        inside = in_lex(lex_bound(a[2]), lex_bound(a[3]))
        return sum(inside(member) for member in self.of_one_score(a[1]))

    def of_one_score(self, key):
        """The set's members; what a range of texts is among several scores, nobody says."""
        members = self.find(key, "zset") or {}
        if len(set(members.values())) > 1:
            raise NotImplementedError
        return members

    def select(self, key, by, start, end, backwards, limit):
        if by == b"bylex":
            low, high = (end, start) if backwards else (start, end)
            inside = in_lex(lex_bound(low), lex_bound(high))
            items = [item for item in order(self.of_one_score(key)) if inside(item[0])]
        elif by == b"byscore":
            low, high = (end, start) if backwards else (start, end)
            inside = in_scores(score_bound(low), score_bound(high))
            items = [item for item in order(self.find(key, "zset") or {}) if inside(item[1])]
        else:
            start, end = integer(start), integer(end)
            items = order(self.find(key, "zset") or {})
            return (items[::-1] if backwards else items)[bounds(start, end, len(items))]
        return limited(items[::-1] if backwards else items, limit)

    def range(self, key, start, end, options, by=None, backwards=False, storing=False, classic=False):
        limit, with_scores, at = (0, -1), False, 0
        while at < len(options):
            word = options[at].lower()
            if word == b"withscores" and not storing:
                with_scores = True
            elif word == b"limit" and at + 2 < len(options):
                limit = (integer(options[at + 1]), integer(options[at + 2]))
                at += 2
            elif not classic and word in (b"bylex", b"byscore"):
                by = word
            elif not classic and word == b"rev":
                backwards = True
            else:
                raise Fail("syntax")
            at += 1
        need(limit[1] == -1 or by is not None)
        need(not (with_scores and by == b"bylex"))
        items = self.select(key, by, start, end, backwards, limit)
        return items, with_scores

    def do_zrange(self, a, reply):
        return flat(*self.range(a[1], a[2], a[3], a[4:]))

    def do_zrevrange(self, a, reply):
        return flat(*self.range(a[1], a[2], a[3], a[4:], None, True, False, True))

    def do_zrangebyscore(self, a, reply):
        return flat(*self.range(a[1], a[2], a[3], a[4:], b"byscore", False, False, True))

    def do_zrevrangebyscore(self, a, reply):
        return flat(*self.range(a[1], a[2], a[3], a[4:], b"byscore", True, False, True))

    def do_zrangebylex(self, a, reply):
        return flat(*self.range(a[1], a[2], a[3], a[4:], b"bylex", False, False, True))

    def do_zrevrangebylex(self, a, reply):
        return flat(*self.range(a[1], a[2], a[3], a[4:], b"bylex", True, False, True))

    def do_zrangestore(self, a, reply):
        items, _ = self.range(a[2], a[3], a[4], a[5:], storing=True)
        self.replace(a[1], "zset", dict(items))
        return len(items)

    def remove(self, key, items):
        scores = self.find(key, "zset") or {}
        for member, _ in items:
            del scores[member]
        self.settle(key)
        return len(items)

    def do_zremrangebyrank(self, a, reply):
        return self.remove(a[1], self.select(a[1], None, a[2], a[3], False, None))

    def do_zremrangebyscore(self, a, reply):
        return self.remove(a[1], self.select(a[1], b"byscore", a[2], a[3], False, (0, -1)))

    def do_zremrangebylex(self, a, reply):
        return self.remove(a[1], self.select(a[1], b"bylex", a[2], a[3], False, (0, -1)))

    def pop_end(self, key, count, lowest):
        items = order(self.find(key, "zset") or {})
        items = (items if lowest else items[::-1])[:count]
        self.remove(key, items)
        return items

    def pop_scored(self, a, lowest):
        need(len(a) <= 3)
        count = integer(a[2], 0) if len(a) == 3 else 1
        return flat(self.pop_end(a[1], count, lowest), True)

    def do_zpopmin(self, a, reply):
        return self.pop_scored(a, True)

    def do_zpopmax(self, a, reply):
        return self.pop_scored(a, False)

    def do_zmpop(self, a, reply):
        keys, rest = keys_and_rest(a, 1)
        need(rest and rest[0].lower() in (b"min", b"max"))
        need(len(rest) == 1 or len(rest) == 3 and rest[1].lower() == b"count")
        count = integer(rest[2], 1) if len(rest) == 3 else 1
        for key in keys:
            if self.find(key, "zset") is not None:
                return [key, [[member, double(score)] for member, score in self.pop_end(key, count, rest[0].lower() == b"min")]]
        return NULL_ARRAY

    def do_zscan(self, a, reply):
        return [b"0", flat((self.find(a[1], "zset") or {}).items(), True)]

    def do_zrandmember(self, a, reply):
        return random_members(a, self.find(a[1], "zset") or {}, reply, b"withscores")

    # --- unions, intersections, differences ---------------------------------------------------------------------------------------

    def any_scores(self, key):
        value = self.values.get(key)
        if value is None:
            return {}
        need(value.kind in ("set", "zset"))
        return dict.fromkeys(value.data, 1.0) if value.kind == "set" else value.data

    def algebra(self, a, at, storing):
        what = a[0].lower()[1:2]
        count = integer(a[at])
        need(0 < count <= len(a) - at - 1)
        keys, rest = a[at + 1:at + 1 + count], a[at + 1 + count:]
        sources = [self.any_scores(key) for key in keys]
        aggregates = {b"sum": sum, b"min": min, b"max": max, b"count": len}
        weights, combine, with_scores = [1.0] * count, sum, False
        while rest:
            word = rest[0].lower()
            if word == b"weights" and what != b"d" and len(rest) > count:
                weights, rest = [number(text) for text in rest[1:1 + count]], rest[1 + count:]
            elif word == b"aggregate" and what != b"d" and len(rest) > 1 and rest[1].lower() in aggregates:
                combine, rest = aggregates[rest[1].lower()], rest[2:]
            elif word == b"withscores" and not storing:
                with_scores, rest = True, rest[1:]
            else:
                raise Fail("syntax")
        zero = lambda x: 0.0 if math.isnan(x) else x
        result = {}
        if what == b"d":
            result = {m: s for m, s in sources[0].items() if not any(m in other for other in sources[1:])}
            return result, with_scores
        if combine is len:
            sources, combine = [dict.fromkeys(source, 1.0) for source in sources], sum
        pairs = list(zip(sources, weights))
        if what == b"i":  # the smallest first, as sums of infinities depend on the order
            pairs.sort(key=lambda pair: len(pair[0]))
            pairs = pairs if all(pair[0] for pair in pairs) else []
        else:
            pairs.sort(key=lambda pair: len(pair[0]))
        for member in {m for source, _ in pairs for m in source}:
            parts = [source[member] * weight for source, weight in pairs if member in source]
            parts = [zero(part) if what == b"u" or at == 0 else part for at, part in enumerate(parts)]  # as Redis does
            if what == b"i" and len(parts) < count:
                continue
            total = parts[0]
            for part in parts[1:]:
                total = zero(total + part) if combine is sum else part if (part < total if combine is min else part > total) else total
            result[member] = total
        return result, with_scores

    def algebra_read(self, a, reply):
        result, with_scores = self.algebra(a, 1, False)
        return flat(order(result), with_scores)

    do_zunion = do_zinter = do_zdiff = algebra_read

    def algebra_store(self, a, reply):
        result, _ = self.algebra(a, 2, True)
        self.replace(a[1], "zset", result)
        return len(result)

    do_zunionstore = do_zinterstore = do_zdiffstore = algebra_store

    def do_zintercard(self, a, reply):
        keys, rest = keys_and_rest(a, 1)
        limit = 0
        while rest:
            need(len(rest) >= 2 and rest[0].lower() == b"limit")
            limit, rest = integer(rest[1], 0), rest[2:]
        sources = [set(self.any_scores(key)) for key in keys]
        count = len(set.intersection(*sources))
        return min(count, limit) if limit else count


# --- places ---------------------------------------------------------------------------------------------------------------------------

LATITUDE_MAX = 85.05112878
EARTH = 6372797.560856
UNITS = {b"m": 1.0, b"km": 1000.0, b"ft": 0.3048, b"mi": 1609.34}


def hash_of(longitude, latitude):
    row = int((latitude + LATITUDE_MAX) / (2 * LATITUDE_MAX) * (1 << 26))
    column = int((longitude + 180) / 360 * (1 << 26))
    return float(sum((row >> bit & 1) << 2 * bit | (column >> bit & 1) << 2 * bit + 1 for bit in range(27)))


def place_of(score):
    bits = int(score)
    row = sum((bits >> 2 * bit & 1) << bit for bit in range(32))
    column = sum((bits >> 2 * bit + 1 & 1) << bit for bit in range(32))
    at = lambda i, low, scale: ((low + i / (1 << 26) * scale) + (low + (i + 1) / (1 << 26) * scale)) / 2
    return min(at(column, -180.0, 360.0), 180.0), min(at(row, -LATITUDE_MAX, 2 * LATITUDE_MAX), LATITUDE_MAX)


def distance(a, b):
    rad = math.pi / 180
    v = math.sin((b[0] * rad - a[0] * rad) / 2)
    if v == 0:
        return EARTH * abs(b[1] * rad - a[1] * rad)
    u = math.sin((b[1] * rad - a[1] * rad) / 2)
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, u * u + math.cos(a[1] * rad) * math.cos(b[1] * rad) * v * v)))


def point(longitude, latitude):
    longitude, latitude = number(longitude), number(latitude)
    need(-180 <= longitude <= 180 and -LATITUDE_MAX <= latitude <= LATITUDE_MAX)
    return longitude, latitude


class Places(Base):
    """Positions and distances. Searches are compared with redis-server alone, so none that stores is made for the model."""

    def do_geoadd(self, a, reply):
        at, flags = 2, set()
        while at < len(a) and a[at].lower() in (b"nx", b"xx", b"ch"):
            flags.add(a[at].lower())
            at += 1
        need((len(a) - at) % 3 == 0 and len(a) > at and not {b"nx", b"xx"} <= flags)
        updates = [(hash_of(*point(x, y)), member) for x, y, member in zip(a[at::3], a[at + 1::3], a[at + 2::3])]
        return self.add(a[1], updates, flags)

    def do_geopos(self, a, reply):
        scores = self.find(a[1], "zset") or {}
        if any(scores.get(member, 0) < 0 or scores.get(member, 0) > 1 << 60 for member in a[2:]):
            return NotImplemented
        want = [place_of(scores[member]) if member in scores else None for member in a[2:]]
        for place, told in zip(want, reply):
            if place is None and told is not NULL_ARRAY or place is not None and \
               not (math.isclose(float(told[0]), place[0], abs_tol=1e-9) and math.isclose(float(told[1]), place[1], abs_tol=1e-9)):
                return want
        return reply

    def do_geodist(self, a, reply):
        need(len(a) <= 5)
        unit = UNITS.get(a[4].lower()) if len(a) == 5 else 1.0
        need(unit)
        scores = self.find(a[1], "zset") or {}
        if a[2] not in scores or a[3] not in scores:
            return None
        if any(not 0 <= scores[m] < 1 << 60 for m in a[2:4]):
            return NotImplemented
        want = distance(place_of(scores[a[2]]), place_of(scores[a[3]])) / unit
        return reply if abs(float(reply) - want) < 0.001 else b"%.4f" % want

    def search_is_not_judged(self, a, reply):
        return NotImplemented

    do_geohash = do_georadius = do_georadius_ro = do_georadiusbymember_ro = do_georadiusbymember = do_geosearch = search_is_not_judged
