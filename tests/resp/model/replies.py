"""Replies as values, and what of them must be equal: orders that Redis leaves open, random picks and idle times are taken out."""


class Error(bytes):
    """An error reply's text."""


class Simple(bytes):
    """+OK and its like."""


class NullArray:
    def __repr__(self):
        return "nil-array"


NULL_ARRAY = NullArray()


class Flat(list):
    """A map or a set of RESP3: a list of its own kind."""


def parse(data, at):
    """The reply that begins at data[at], and where the next one begins."""
    end = data.index(b"\r\n", at)
    kind = data[at]
    rest = data[at + 1:end]
    at = end + 2
    if kind in b"$=":
        size = int(rest)
        if size < 0:
            return None, at
        return data[at:at + size], at + size + 2
    if kind == 58:  # :
        return int(rest), at
    if kind == 43:  # +
        return Simple(rest), at
    if kind == 45:  # -
        return Error(rest), at
    if kind == 42:  # *
        count = int(rest)
        if count < 0:
            return NULL_ARRAY, at
        items = []
        for _ in range(count):
            item, at = parse(data, at)
            items.append(item)
        return items, at
    if kind in b"~%":
        items = Flat()
        for _ in range(int(rest) * (2 if kind == 37 else 1)):
            item, at = parse(data, at)
            items.append(item)
        return items, at
    if kind == 44:  # ,
        return float(rest), at  # of whatever digits
    if kind == 95:  # _
        return None, at
    if kind == 35:  # #
        return rest == b"t", at
    raise ValueError(f"not a reply: {data[at - 40:at + 40]!r}")


def parse_all(data, count):
    replies, at = [], 0
    for _ in range(count):
        reply, at = parse(data, at)
        replies.append(reply)
    return replies


def pairs(items):
    return sorted(zip(items[::2], items[1::2]))


def by_text(items):
    return sorted(items, key=repr)


def scanned(reply):
    return [reply[0], pairs(reply[1])]


def without_internals(reply):
    """XINFO: what depends on the clock or on how a server keeps its data."""
    if not isinstance(reply, list):
        return reply
    if reply and isinstance(reply[0], list):
        return [without_internals(item) for item in reply]
    return [(name, without_internals(value)) for name, value in zip(reply[::2], reply[1::2])
            if name not in (b"radix-tree-keys", b"radix-tree-nodes", b"idle", b"seen-time", b"active-time", b"inactive")
            and not name.startswith((b"idmp-", b"pids-", b"iids-", b"nacked-"))]  # of versions after redis 7.0


def without_idle(reply):
    """XPENDING's long form: ids, consumers and counts."""
    if reply and isinstance(reply[0], list):
        return [[item[0], item[1], item[3]] for item in reply]
    return reply


def collated(texts):
    return by_text([text.split(b"\0")[0] if isinstance(text, bytes) else text for text in texts])


def claimed(reply):
    """XREADGROUP with CLAIM: the entries in their own order (theirs is by idle times), without idle times."""
    if not isinstance(reply, list):
        return reply
    if reply and all(isinstance(item, list) and len(item) == 4 for item in reply):
        return sorted([item[0], item[1], item[3]] for item in reply)
    return [claimed(item) for item in reply]


SHOWN = {
    b"SMEMBERS": by_text, b"SINTER": by_text, b"SUNION": by_text, b"SDIFF": by_text, b"HKEYS": by_text, b"HVALS": by_text, b"KEYS": by_text,
    b"HGETALL": pairs, b"HSCAN": scanned, b"ZSCAN": scanned, b"SSCAN": lambda reply: [reply[0], sorted(reply[1])],
    b"SRANDMEMBER": len, b"HRANDFIELD": len, b"ZRANDMEMBER": len, b"SORT": by_text, b"SORT_RO": by_text,
    b"GEORADIUS": by_text, b"GEORADIUS_RO": by_text, b"GEORADIUSBYMEMBER": by_text, b"GEORADIUSBYMEMBER_RO": by_text, b"GEOSEARCH": by_text,
    b"XINFO": without_internals, b"XPENDING": without_idle, b"SPOP": by_text, b"XREADGROUP": claimed,
}


def without_signs(item):
    """-0 as 0: packed sorted sets forget the sign, others keep it."""
    return [without_signs(x) for x in item] if isinstance(item, list) else b"0" if item == b"-0" else item


def shown(command, reply):
    """What of a reply must be equal."""
    if command[0].startswith(b"Z"):
        reply = without_signs(reply)
    if isinstance(reply, list):
        if b"nosort" in command[2:]:
            return len(reply)  # the key may hold a set
        show = SHOWN.get(command[0])
        return show(reply) if show else reply
    if isinstance(reply, (Error, Simple)):
        return (type(reply).__name__, bytes(reply))
    if command[0] in (b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER") and isinstance(reply, bytes):
        return "one"
    return reply


def equal(command, mine, other, queued=()):
    if other is NotImplemented or type(mine) is type(other) and mine == other:
        return True
    if isinstance(other, Error) and other == b"(some error)":
        return isinstance(mine, Error)
    if command[0] == b"EXEC" and isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) == len(queued) and all(equal(c, x, y) for c, x, y in zip(queued, mine, other))
    # Redis ends its error texts at a zero byte.
    if isinstance(mine, Error) and isinstance(other, Error) and any(b"\0" in arg for arg in command):
        return True
    # Commands that take more arguments since 7.0, or tell another one of several mistakes.
    if command[0] in (b"ZRANK", b"ZREVRANK", b"XSETID", b"LPOS") and isinstance(mine, Error) and isinstance(other, Error):
        return True
    # Redis takes a number for one out of range where the conversion before it was.
    if command[0] in (b"SORT", b"SORT_RO") and isinstance(mine, list) and isinstance(other, Error) and b"double" in other:
        return True
    # Redis collates texts up to a zero byte, so that some are equal, and with LIMIT it shows one or another of these.
    if command[0] in (b"SORT", b"SORT_RO") and {b"ALPHA", b"LIMIT"} <= set(command) and isinstance(mine, list) and \
            isinstance(other, list) and collated(mine) == collated(other):
        return True
    # Redis makes a raw string of what a command then leaves as it was; a number in a string is one again when a snapshot is loaded.
    if command[0] == b"OBJECT" and (other, mine) in ((b"raw", b"int"), (b"raw", b"embstr"), (b"embstr", b"int")):
        return True
    # Redis's SORT unpacks a small sorted set for good; a value that has become small is packed again when a snapshot is loaded.
    if command[0] == b"OBJECT" and other in (b"skiplist", b"hashtable") and mine in (b"listpack", b"intset"):
        return True
    try:
        return shown(command, mine) == shown(command, other)
    except (TypeError, IndexError):
        return False
