"""Streams of the plain model: a list of entries and groups of pending ones."""
from reference_base import Base, Fail, integer, need
from replies import NULL_ARRAY, Error, Simple

MAX = (1 << 64) - 1
PRODUCER_WINDOW_MS = 100_000
DELIVERIES_MAX = (1 << 63) - 1


def part(text):
    text = text.lstrip(b" \t\n\v\f\r")
    text = text[text.startswith(b"+"):]
    need(text.isdigit() and int(text) <= MAX)
    return int(text)


def stream_id(text, missing=0):
    ms, dash, seq = text.partition(b"-")
    return part(ms), part(seq) if dash else missing


def range_id(text, start):
    """An end of a range, included."""
    if text == b"-":
        return 0, 0
    if text == b"+":
        return MAX, MAX
    if not text.startswith(b"("):
        return stream_id(text, 0 if start else MAX)
    need(text[1:] not in (b"-", b"+"))
    ms, seq = stream_id(text[1:], 0 if start else MAX)
    if start:
        need((ms, seq) != (MAX, MAX))
        return (ms, seq + 1) if seq < MAX else (ms + 1, 0)
    need((ms, seq) != (0, 0))
    return (ms, seq - 1) if seq else (ms - 1, MAX)


def show(one):
    return b"%d-%d" % one


class Stream:
    def __init__(self):
        self.entries = {}  # id -> fields, in order
        self.last = (0, 0)
        self.groups = {}
        self.messages = {}  # (producer, its id of a message) -> id of the entry

    def referenced(self, one):
        """Pending in a group, or not delivered to it yet."""
        return any(one in group.pending or one > group.last for group in self.groups.values())

    def drop_references(self, one):
        for group in self.groups.values():
            group.pending.pop(one, None)

    def __bool__(self):
        return True

    def inside(self, low, high):
        return [one for one in self.entries if low <= one <= high]


class Group:
    def __init__(self, last):
        self.last = last
        self.pending = {}  # id -> [consumer, or None once XNACK gave it back; deliveries]
        self.consumers = set()

    def deliver_again(self, one, consumer):
        """Returns how often it was delivered before."""
        before = self.pending[one][1]
        self.pending[one] = [consumer, min(before + 1, DELIVERIES_MAX)]
        return before


class Streams(Base):
    def shown(self, stream, ids):
        return [[show(one), list(stream.entries[one])] for one in ids]

    def trim_options(self, a, at):
        """MAXLEN|MINID [=] n"""
        word, at = a[at].lower(), at + 1
        if at < len(a) and a[at] == b"=":
            at += 1
        need(at < len(a))
        limit = integer(a[at], 0) if word == b"maxlen" else stream_id(a[at])
        return word, limit, at + 1

    def trim(self, stream, word, limit):
        ids = list(stream.entries)
        gone = ids[:max(0, len(ids) - limit)] if word == b"maxlen" else [one for one in ids if one < limit]
        for one in gone:
            del stream.entries[one]
        return len(gone)

    def do_xadd(self, a, reply):
        if len(a) > 2 and a[2].lower() in (b"idmp", b"idmpauto"):
            return self.do_xaddidmp(a, reply)
        at, trim, no_make = 2, None, False
        while at < len(a) and a[at].lower() in (b"maxlen", b"minid", b"nomkstream"):
            if a[at].lower() == b"nomkstream":
                no_make, at = True, at + 1
            else:
                need(trim is None)
                *trim, at = self.trim_options(a, at)
        need(at < len(a))
        text, fields = a[at], a[at + 1:]
        need(fields and len(fields) % 2 == 0)
        auto = text.endswith(b"-*")
        one = (part(text[:-2]), None) if auto else stream_id(text)
        need(auto or one != (0, 0))
        stream = self.find(a[1], "stream")
        if stream is None and no_make:
            return None
        last = stream.last if stream else (0, 0)
        if auto:
            need(one[0] >= last[0] and not (one[0] == last[0] and last[1] == MAX))
            one = (one[0], last[1] + 1 if one[0] == last[0] else 0)
            if one == (0, 0):
                one = (0, 1)
        need(one > last)
        stream = self.make(a[1], "stream", Stream)
        stream.entries[one] = fields
        stream.last = one
        if trim:
            self.trim(stream, *trim)
        return show(one)

    def do_xaddidmp(self, a, reply):
        """XADD key IDMP producer message * field value, and the same with IDMPAUTO."""
        auto = a[2].lower() == b"idmpauto"
        fields = a[5 if auto else 6:]
        name = (a[3], tuple(sorted(zip(fields[::2], fields[1::2])))) if auto else (a[3], a[4])
        stream = self.make(a[1], "stream", Stream)
        need(not isinstance(reply, Error))
        one, known = stream_id(reply), stream.messages.get(name)
        if known is not None and (one == known or one[0] - known[0] < PRODUCER_WINDOW_MS):
            return show(known)
        stream.messages[name] = one
        return self.appended(stream, one, fields)

    def appended(self, stream, one, fields):
        """An entry whose id the server chose."""
        need(one > stream.last)
        stream.entries[one] = fields
        stream.last = one
        return show(one)

    def deletion(self, a, at):
        """[KEEPREF|DELREF|ACKED] and IDS n id ..."""
        references, ids = b"keepref", []
        while at < len(a):
            if a[at].lower() == b"ids":
                count = integer(a[at + 1], 1)
                need(at + 2 + count <= len(a))
                ids = [stream_id(text) for text in a[at + 2:at + 2 + count]]
                at += 2 + count
            else:
                references = a[at].lower()
                need(references in (b"keepref", b"delref", b"acked"))
                at += 1
        need(ids)
        return references, ids

    def do_xdelex(self, a, reply):
        references, ids = self.deletion(a, 2)
        stream = self.find(a[1], "stream")
        return [self.delete_one(stream, one, references) if stream else -1 for one in ids]

    @staticmethod
    def delete_one(stream, one, references):
        if references == b"acked" and stream.referenced(one):
            return 2
        if references == b"delref":
            stream.drop_references(one)
        return 1 if stream.entries.pop(one, None) is not None else -1

    def do_xackdel(self, a, reply):
        references, ids = self.deletion(a, 3)
        stream, group = self.group(a[1], a[2])
        result = []
        for one in ids:
            pending = group is not None and group.pending.pop(one, None) is not None
            if group is not None and references == b"delref":
                stream.drop_references(one)
            kept = pending and references == b"acked" and stream.referenced(one)
            if pending and not kept:
                stream.entries.pop(one, None)
            result.append(-1 if not pending else 2 if kept else 1)
        return result

    def between(self, a, start, end, backwards):
        low, high = range_id(start, True), range_id(end, False)
        need(len(a) == 4 or len(a) == 6 and a[4].lower() == b"count")
        count = integer(a[5]) if len(a) == 6 else -1
        count = 0 if len(a) == 6 and count < 0 else count
        stream = self.find(a[1], "stream")
        if stream is None:
            return []
        if count == 0:
            return NULL_ARRAY
        ids = stream.inside(low, high)
        ids = ids[::-1] if backwards else ids
        return self.shown(stream, ids[:count] if count > 0 else ids)

    def do_xrange(self, a, reply):
        return self.between(a, a[2], a[3], False)

    def do_xrevrange(self, a, reply):
        return self.between(a, a[3], a[2], True)

    def do_xlen(self, a, reply):
        stream = self.find(a[1], "stream")
        return len(stream.entries) if stream else 0

    def do_xdel(self, a, reply):
        stream = self.find(a[1], "stream")
        if stream is None:
            return 0
        ids = [stream_id(text) for text in a[2:]]
        return sum(stream.entries.pop(one, None) is not None for one in ids)

    def do_xtrim(self, a, reply):
        need(a[2].lower() in (b"maxlen", b"minid"))
        word, limit, at = self.trim_options(a, 2)
        need(at == len(a))
        stream = self.find(a[1], "stream")
        return self.trim(stream, word, limit) if stream else 0

    def do_xsetid(self, a, reply):
        # Its conditions look at what was ever added, which is compared with redis-server alone.
        stream = self.find(a[1], "stream")
        if isinstance(reply, Error):
            return NotImplemented
        need(stream is not None)
        stream.last = stream_id(a[2])
        need(not stream.entries or max(stream.entries) <= stream.last)
        return Simple(b"OK")

    def do_xread(self, a, reply):
        at, count = 1, 0
        while at < len(a) and a[at].lower() == b"count":
            count, at = max(0, integer(a[at + 1])), at + 2
        need(at < len(a) and a[at].lower() == b"streams")
        rest = a[at + 1:]
        need(rest and len(rest) % 2 == 0)
        half = len(rest) // 2
        starts = []
        for key, text in zip(rest[:half], rest[half:]):
            stream = self.find(key, "stream")
            if text == b"+" and stream and stream.entries:
                ms, seq = max(stream.entries)
                starts.append((ms, seq - 1) if seq else (ms - 1, MAX))
            else:
                starts.append((stream.last if stream else (0, 0)) if text in (b"$", b"+") else stream_id(text))
        result = []
        for key, start in zip(rest[:half], starts):
            stream = self.find(key, "stream")
            ids = [one for one in stream.entries if one > start] if stream else []
            if ids:
                result.append([key, self.shown(stream, ids[:count] if count else ids)])
        return result or NULL_ARRAY

    # --- groups -----------------------------------------------------------------------------------------------------------------------

    def group(self, key, name):
        stream = self.find(key, "stream")
        return stream, (stream.groups.get(name) if stream else None)

    def do_xgroup(self, a, reply):
        need(len(a) >= 4)
        what = a[1].lower()
        counts = {b"create": (5, 8), b"setid": (5, 7), b"destroy": (4, 4), b"createconsumer": (5, 5), b"delconsumer": (5, 5)}
        need(what in counts and counts[what][0] <= len(a) <= counts[what][1])
        options = [word.lower() for word in a[5:]] if what in (b"create", b"setid") else []
        need(all(word == b"mkstream" and what == b"create" for word in options))
        stream, group = self.group(a[2], a[3])
        if stream is None:
            need(b"mkstream" in options)
        if what in (b"create", b"setid"):
            need(what == b"setid" or group is None)
            one = (stream.last if stream else (0, 0)) if a[4] == b"$" else \
                range_id(a[4], True) if what == b"setid" and a[4] in (b"-", b"+") else stream_id(a[4])
            if what == b"create":
                self.make(a[2], "stream", Stream).groups[a[3]] = Group(one)
            else:
                need(group is not None)
                group.last = one
            return Simple(b"OK")
        if what == b"destroy":
            return int(stream.groups.pop(a[3], None) is not None)
        need(group is not None)
        if what == b"createconsumer":
            new = a[4] not in group.consumers
            group.consumers.add(a[4])
            return int(new)
        mine = [one for one, (consumer, _) in group.pending.items() if consumer == a[4]]
        for one in mine:
            del group.pending[one]
        group.consumers.discard(a[4])
        return len(mine)

    def do_xreadgroup(self, a, reply):
        need(a[1].lower() == b"group")
        name, consumer, at, count, no_ack, claims = a[2], a[3], 4, 0, False, False
        while at < len(a) and a[at].lower() in (b"count", b"noack", b"claim"):
            if a[at].lower() == b"noack":
                no_ack, at = True, at + 1
            elif a[at].lower() == b"claim":
                integer(a[at + 1], 0)
                claims, at = True, at + 2
            else:
                count, at = max(0, integer(a[at + 1])), at + 2
        need(at < len(a) and a[at].lower() == b"streams" and len(a) == at + 3)
        key, text = a[at + 1], a[at + 2]
        stream, group = self.group(key, name)
        need(group is not None)
        start = None if text == b">" else stream_id(text)
        start = None if start == (MAX, MAX) else start  # which is how Redis keeps ">"
        if start is None:
            ids = [one for one in stream.entries if one > group.last]
            ids = ids[:count] if count else ids
            idle = sorted(one for one in group.pending if one in stream.entries) if claims else []
            if not ids and not idle:
                return NULL_ARRAY  # the consumer is made by the first command that finds something, or not: see state()
            group.consumers.add(consumer)
            claimed = [[show(one), list(stream.entries[one]), 0, group.deliver_again(one, consumer)] for one in idle]
            if ids:
                group.last = ids[-1]
            if not no_ack:
                for one in ids:
                    group.pending[one] = [consumer, 1]
            return [[key, claimed + [[*entry, 0, 0] for entry in self.shown(stream, ids)] if claims else self.shown(stream, ids)]]
        group.consumers.add(consumer)
        mine = sorted(one for one, (owner, _) in group.pending.items() if owner == consumer and one > start)
        mine = mine[:count] if count else mine
        result = []
        for one in mine:
            if one in stream.entries:
                group.deliver_again(one, consumer)
            result.append([show(one), list(stream.entries[one]) if one in stream.entries else NULL_ARRAY])
        return [[key, result]]

    def do_xack(self, a, reply):
        stream, group = self.group(a[1], a[2])
        if group is None:
            return 0
        ids = [stream_id(text) for text in a[3:]]
        return sum(group.pending.pop(one, None) is not None for one in ids)

    def do_xpending(self, a, reply):
        need(len(a) == 3 or 6 <= len(a) <= 9)
        ends = (range_id(a[3], True), range_id(a[4], False), integer(a[5])) if len(a) > 3 else None
        stream, group = self.group(a[1], a[2])
        need(group is not None)
        ids = sorted(group.pending)
        if ends is None:
            if not ids:
                return [0, None, None, NULL_ARRAY]
            owners = [owner for owner, _ in group.pending.values() if owner is not None]
            return [len(ids), show(ids[0]), show(ids[-1]), [[c, b"%d" % owners.count(c)] for c in sorted(set(owners))]]
        low, high, count = ends
        ids = [one for one in ids if low <= one <= high and (len(a) < 7 or group.pending[one][0] == a[6])][:max(0, count)]
        return [[show(one), group.pending[one][0] or b"", 0, group.pending[one][1]] for one in ids]

    def do_xnack(self, a, reply):
        """XNACK key group SILENT|FAIL|FATAL IDS n id ... [FORCE] [RETRYCOUNT n]"""
        mode = a[3].lower()
        need(mode in (b"silent", b"fail", b"fatal") and a[4].lower() == b"ids")
        at = 6 + integer(a[5], 1)
        need(at <= len(a))
        ids, force, count = [stream_id(text) for text in a[6:at]], False, None
        while at < len(a):
            if a[at].lower() == b"force":
                force, at = True, at + 1
            else:
                need(a[at].lower() == b"retrycount" and at + 1 < len(a))
                count, at = integer(a[at + 1], 0), at + 2
        stream, group = self.group(a[1], a[2])
        need(group is not None)
        released = 0
        for one in ids:
            if one not in group.pending and not (force and one in stream.entries):
                continue
            before = group.pending[one][1] if one in group.pending else 0
            if count is not None:
                after = count
            elif mode == b"fatal":
                after = DELIVERIES_MAX
            else:
                after = max(before - 1, 0) if mode == b"silent" else before
            group.pending[one] = [None, after]
            released += 1
        return released

    def claim(self, stream, group, consumer, one, just_id, deliveries=1):
        pending = group.pending.setdefault(one, [consumer, 1])
        pending[0] = consumer
        pending[1] = min(pending[1] + (0 if just_id else deliveries), DELIVERIES_MAX)
        return show(one) if just_id else [show(one), list(stream.entries[one])]

    def do_xclaim(self, a, reply):
        stream, group = self.group(a[1], a[2])
        need(group is not None)
        integer(a[4])
        at, ids = 5, []
        while at < len(a) and a[at].lower() not in (b"force", b"justid"):
            ids.append(stream_id(a[at]))
            at += 1
        words = [word.lower() for word in a[at:]]
        need(all(word in (b"force", b"justid") for word in words))
        result = []
        for one in ids:
            if one not in stream.entries:
                group.pending.pop(one, None)
            elif one in group.pending or b"force" in words:
                group.consumers.add(a[3])
                result.append(self.claim(stream, group, a[3], one, b"justid" in words))
        return result

    def do_xautoclaim(self, a, reply):
        integer(a[4])
        start = range_id(a[5], True)
        at, count, just_id = 6, 100, False
        while at < len(a):
            word = a[at].lower()
            if word == b"count" and at + 1 < len(a):
                count, at = integer(a[at + 1], 1, (1 << 63) // 160), at + 2
            elif word == b"justid":
                just_id, at = True, at + 1
            else:
                raise Fail("syntax")
        stream, group = self.group(a[1], a[2])
        need(group is not None)
        attempts, claimed, deleted = count * 10, [], []
        ids = sorted(one for one in group.pending if one >= start)
        while ids and attempts and count:
            one = ids.pop(0)
            attempts -= 1
            count -= 1
            if one not in stream.entries:
                del group.pending[one]
                deleted.append(show(one))
                continue
            group.consumers.add(a[3])
            claimed.append(self.claim(stream, group, a[3], one, just_id))
        return [show(ids[0]) if ids else b"0-0", claimed, deleted]

    def do_xinfo(self, a, reply):
        return NotImplemented
