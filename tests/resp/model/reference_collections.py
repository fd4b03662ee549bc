"""Lists and sets of the plain model."""
from reference_base import Base, Fail, bounds, glob, integer, keys_and_rest, need, random_members
from replies import NULL_ARRAY, Simple


class Lists(Base):
    def push(self, a, left, only_existing=False):
        items = self.find(a[1], "list")
        if items is None and only_existing:
            return 0
        items = self.make(a[1], "list", list)
        if left:
            items[:0] = a[:1:-1]
        else:
            items.extend(a[2:])
        return len(items)

    def do_rpush(self, a, reply):
        return self.push(a, False)

    def do_lpush(self, a, reply):
        return self.push(a, True)

    def do_rpushx(self, a, reply):
        return self.push(a, False, True)

    def do_lpushx(self, a, reply):
        return self.push(a, True, True)

    def take(self, key, count, left):
        items = self.values[key].data
        taken = items[:count] if left else items[::-1][:count]
        if left:
            del items[:count]
        else:
            del items[max(0, len(items) - count):]
        self.settle(key)
        return taken

    def pop(self, a, left):
        need(len(a) <= 3)
        count = integer(a[2], 0) if len(a) == 3 else None
        items = self.find(a[1], "list")
        if items is None:
            return None if count is None else NULL_ARRAY
        taken = self.take(a[1], 1 if count is None else count, left)
        return taken[0] if count is None else taken

    def do_lpop(self, a, reply):
        return self.pop(a, True)

    def do_rpop(self, a, reply):
        return self.pop(a, False)

    def do_lrange(self, a, reply):
        start, end = integer(a[2]), integer(a[3])
        items = self.find(a[1], "list") or []
        return items[bounds(start, end, len(items))]

    def do_lindex(self, a, reply):
        items = self.find(a[1], "list")
        if items is None:
            return None
        at = integer(a[2])
        return items[at] if -len(items) <= at < len(items) else None

    def do_lset(self, a, reply):
        items = self.find(a[1], "list")
        need(items is not None)
        at = integer(a[2])
        need(-len(items) <= at < len(items))
        items[at] = a[3]
        return Simple(b"OK")

    def do_linsert(self, a, reply):
        need(a[2].lower() in (b"before", b"after"))
        items = self.find(a[1], "list")
        if items is None:
            return 0
        if a[3] not in items:
            return -1
        items.insert(items.index(a[3]) + (a[2].lower() == b"after"), a[4])
        return len(items)

    def do_lrem(self, a, reply):
        count = integer(a[2])
        items = self.find(a[1], "list")
        if items is None:
            return 0
        places = [i for i, item in enumerate(items) if item == a[3]]
        places = places[:count] if count > 0 else places[count:] if count < 0 else places
        for i in reversed(places):
            del items[i]
        self.settle(a[1])
        return len(places)

    def do_ltrim(self, a, reply):
        start, end = integer(a[2]), integer(a[3])
        items = self.find(a[1], "list")
        if items is not None:
            items[:] = items[bounds(start, end, len(items))]
            self.settle(a[1])
        return Simple(b"OK")

    def do_llen(self, a, reply):
        return len(self.find(a[1], "list") or [])

    def do_lpos(self, a, reply):
        rank, count, most, at = 1, None, 0, 3
        while at < len(a):
            need(at + 1 < len(a))
            word = a[at].lower()
            if word == b"rank":
                rank = integer(a[at + 1])
                need(rank != 0 and rank != -(1 << 63))
            elif word == b"count":
                count = integer(a[at + 1], 0)
            elif word == b"maxlen":
                most = integer(a[at + 1], 0)
            else:
                raise Fail("syntax")
            at += 2
        items = self.find(a[1], "list") or []
        order = range(len(items)) if rank > 0 else range(len(items) - 1, -1, -1)
        order = order[:most] if most else order
        places = [i for i in order if items[i] == a[2]][abs(rank) - 1:]
        if count is None:
            return places[0] if places else None
        return places[:count] if count else places

    def move(self, source, target, left, to_left):
        items = self.find(source, "list")
        if items is None:
            return None
        self.find(target, "list")
        item = items.pop(0 if left else -1)
        to = self.make(target, "list", list)
        to.insert(0 if to_left else len(to), item)
        self.settle(source)
        return item

    def do_rpoplpush(self, a, reply):
        return self.move(a[1], a[2], False, True)

    def do_lmove(self, a, reply):
        need(all(word.lower() in (b"left", b"right") for word in a[3:5]))
        return self.move(a[1], a[2], a[3].lower() == b"left", a[4].lower() == b"left")

    def do_lmovem(self, a, reply):
        """LMOVEM source destination end end [COUNT|EXACTLY n OBO|BULK]"""
        need(all(word.lower() in (b"left", b"right") for word in a[3:5]) and len(a) in (5, 8))
        front, to_front, count, exactly, turned = a[3].lower() == b"left", a[4].lower() == b"left", 1, False, False
        if len(a) == 8:
            need(a[5].lower() in (b"count", b"exactly") and a[7].lower() in (b"obo", b"bulk"))
            count, exactly, turned = integer(a[6], 1), a[5].lower() == b"exactly", a[7].lower() == b"obo" and front == to_front
        source = self.find(a[1], "list")
        if source is None or exactly and len(source) < count:
            return NULL_ARRAY
        self.find(a[2], "list")
        moved = source[:count] if front else source[-count:]
        if front:
            del source[:count]
        else:
            del source[-count:]
        moved = moved[::-1] if turned else moved
        target = source if a[1] == a[2] else self.make(a[2], "list", list)
        target[:] = moved + target if to_front else target + moved
        self.settle(a[1])
        return moved

    def do_lmpop(self, a, reply):
        keys, rest = keys_and_rest(a, 1)
        need(rest and rest[0].lower() in (b"left", b"right"))
        need(len(rest) == 1 or len(rest) == 3 and rest[1].lower() == b"count")
        count = integer(rest[2], 1) if len(rest) == 3 else 1
        for key in keys:
            if self.find(key, "list") is not None:
                return [key, self.take(key, count, rest[0].lower() == b"left")]
        return NULL_ARRAY


class Sets(Base):
    def do_sadd(self, a, reply):
        members = self.make(a[1], "set", set)
        before = len(members)
        members.update(a[2:])
        return len(members) - before

    def do_srem(self, a, reply):
        members = self.find(a[1], "set") or set()
        before = len(members)
        members.difference_update(a[2:])
        self.settle(a[1])
        return before - len(members)

    def do_sismember(self, a, reply):
        return int(a[2] in (self.find(a[1], "set") or ()))

    def do_smismember(self, a, reply):
        members = self.find(a[1], "set") or ()
        return [int(member in members) for member in a[2:]]

    def do_scard(self, a, reply):
        return len(self.find(a[1], "set") or ())

    def do_smembers(self, a, reply):
        return list(self.find(a[1], "set") or ())

    def do_smove(self, a, reply):
        members = self.find(a[1], "set")
        if members is None:
            return 0
        self.find(a[2], "set")
        if a[3] not in members:
            return 0
        if a[1] == a[2]:
            return 1
        members.remove(a[3])
        self.settle(a[1])
        self.make(a[2], "set", set).add(a[3])
        return 1

    def combine(self, name, keys):
        sets = [self.find(key, "set") or set() for key in keys]
        return {b"i": set.intersection, b"u": set.union, b"d": set.difference}[name.lower()[1:2]](*sets)

    def combine_keys(self, a, reply):
        return list(self.combine(a[0], a[1:]))

    do_sinter = do_sunion = do_sdiff = combine_keys

    def combine_store(self, a, reply):
        result = self.combine(a[0], a[2:])
        self.replace(a[1], "set", result)
        return len(result)

    do_sinterstore = do_sunionstore = do_sdiffstore = combine_store

    def combine_count(self, a, reply):
        keys, rest = keys_and_rest(a, 1)
        limit = 0
        while rest:
            need(len(rest) >= 2 and rest[0].lower() == b"limit")
            limit = integer(rest[1], 0)
            rest = rest[2:]
        count = len(self.combine(a[0], keys))
        return min(count, limit) if limit else count

    do_sintercard = do_sunioncard = do_sdiffcard = combine_count

    def do_sscan(self, a, reply):
        pattern = a[6] if len(a) > 6 else b"*"
        return [b"0", [member for member in self.find(a[1], "set") or () if glob(pattern, member)]]

    def do_srandmember(self, a, reply):
        need(len(a) <= 3)
        return random_members(a, self.find(a[1], "set") or set(), reply, None)

    def do_spop(self, a, reply):
        need(len(a) <= 3)
        count = integer(a[2], 0) if len(a) == 3 else None
        members = self.find(a[1], "set")
        if members is None:
            return None if count is None else []
        popped = [reply] if count is None else reply
        if not isinstance(popped, list) or len(set(popped)) != len(popped) or not members.issuperset(popped) or \
           len(popped) != min(len(members), 1 if count is None else count):
            return [b"(members of the key)"]
        members.difference_update(popped)
        self.settle(a[1])
        return reply
