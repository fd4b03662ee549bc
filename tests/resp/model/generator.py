"""Random commands of every family, edge arguments included: wrong types, numbers that are none, huge and negative counts, empty and
binary members. The same seed makes the same commands.

A command is a list of bytes. Each family has a few keys of its own; now and then a command takes another family's key.
"""
import random

FAMILIES = ("string", "hash", "list", "set", "zset", "stream", "hll", "geo", "key")
KEYS = {family: [f"{family}{i}".encode() for i in range(3)] for family in FAMILIES}
KEYS["key"] = [b"", b"\x00\xff", b"absent"]
ALL_KEYS = [key for family in FAMILIES for key in KEYS[family]]
# Ranges by member mean something only where all scores are equal: these keys are touched by commands that keep them so.
KEYS["lex"] = [b"le0", b"le1"]
# Streams whose ids are the clock's.
KEYS["producers"] = [b"pr0", b"pr1"]

COMMON = [b"a", b"b", b"c", b"d", b"e", b"f", b"1", b"2", b"3", b"10", b"aa", b"abc"]
EDGES = [b"", b"0", b"-1", b"\x00", b"\xff\xfe\r\n", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"1.5", b"01", b"+1",
         b" 1", b"nan", b"inf", b"1e5", b"m" * 63, b"m" * 64, b"m" * 65, b"n" * 300, b"127", b"128", b"4095", b"4096", b"32768", b"2147483648"]
INTS = [b"0", b"1", b"-1", b"2", b"3", b"5", b"-2", b"-3", b"10", b"-10", b"100", b"-100", b"1000000", b"9223372036854775807", b"-9223372036854775808",
        b"9223372036854775808", b"abc", b"", b"1.5", b" 1", b"01"]
STRANGE = [text for text in EDGES if b"\0" not in text] + INTS  # Redis reads some arguments as far as a zero byte
STRANGE_IDS = [text for text in STRANGE if text not in (b" 1", b"+1", b"01")]  # which Redis takes for stream ids and we do not
SMALL = [b"0", b"1", b"2", b"3", b"4", b"5", b"-1", b"-2", b"-3", b"-5", b"10", b"-10", b"100", b"-100"]
COUNTS = [b"1", b"2", b"3", b"5", b"10", b"100", b"0", b"-1", b"-3"]
BAD_COUNTS = [b"abc", b"", b"-9223372036854775808", b"9223372036854775807", b"1.5", b"9223372036854775808"]
SCORES = [b"0", b"1", b"2", b"3", b"-1", b"1.5", b"10", b"-2.5", b"100", b"3.14", b"0.1", b"1e3"]
BAD_SCORES = [b"inf", b"-inf", b"+inf", b"nan", b"abc", b"", b"1e300", b"-1e300", b"-0", b"1e400", b"0x10", b" 1", b"3.0000000000000004", b"17179869184",
              b"9007199254740993", b"5e-324"]
FLOATS = [b"1", b"-1", b"0.1", b"1.5", b"-2.25", b"1e3", b"3.0e-5", b"abc", b"nan", b"inf", b"-inf", b"1e400", b"", b"0"]
SCORE_BOUNDS = [b"-inf", b"+inf", b"0", b"1", b"(1", b"2", b"(2", b"3", b"10", b"(10", b"-1", b"abc", b"(", b"nan", b"1.5", b"(-inf", b"(+inf"]
LEX_BOUNDS = [b"-", b"+", b"[a", b"(a", b"[b", b"[c", b"(c", b"[", b"(", b"[aa", b"a", b"", b"[n100", b"(n200"]
LONGITUDES = [b"13.361389", b"15.087269", b"-73.98", b"0", b"179.9", b"-179.9", b"180", b"-180", b"2.35", b"181", b"abc", b"nan", b"inf"]
LATITUDES = [b"38.115556", b"37.502669", b"40.76", b"0", b"85.05", b"-85.05", b"48.85", b"10.5", b"86", b"x"]
UNITS = [b"m", b"km", b"ft", b"mi", b"KM", b"yd"]


class Generator:
    def __init__(self, seed, newer=False, only=None):
        self.rng = random.Random(seed)
        self.random = self.rng.random
        self.newer = newer  # for the model: commands that redis 7.0 does not have and random effects, but no search or sort that stores
        self.next_id = 1
        self.deletes = 0.02  # of all commands; block() changes it from time to time, so that values now and then grow large
        self.weights = [(self.string, 10), (self.hash, 14), (self.list, 14), (self.set, 14), (self.zset, 18), (self.stream, 14), (self.hll, 3),
                        (self.geo, 5), (self.key_command, 8), (self.sort, 1)]
        self.weights = [(make, weight) for make, weight in self.weights if only is None or make.__name__.split("_")[0] in only]
        self.total = sum(weight for _, weight in self.weights)

    # --- arguments ------------------------------------------------------------------------------------------------------------------

    def pick(self, values):
        return values[int(self.random() * len(values))]

    def chance(self, probability):
        return self.random() < probability

    def key(self, family):
        return self.pick(KEYS[family]) if self.random() < 0.985 else self.pick(ALL_KEYS)

    def keys(self, family, most=3):
        return [self.key(family) for _ in range(1 + int(self.random() * most))]

    def member(self):
        r = self.random()
        if r < 0.65:
            return self.pick(COMMON)
        if r < 0.85:
            return b"n%d" % int(self.random() * 300)
        return self.pick(EDGES)

    def members(self, most=4):
        if self.random() < 0.02:
            first = int(self.random() * 250)
            style = self.pick([b"n%d", b"%d", b"q%d"])
            return [style % (first + i) for i in range(int(self.random() * 180) + 1)]
        return [self.member() for _ in range(1 + int(self.random() * most))]

    def integer(self):
        return self.pick(SMALL) if self.random() < 0.85 else self.pick(INTS)

    def count(self):
        return self.pick(COUNTS) if self.random() < 0.9 else self.pick(BAD_COUNTS)

    def score(self):
        return self.pick(SCORES) if self.random() < 0.88 else self.pick(BAD_SCORES)

    def maybe(self, *words, p=0.3):
        return list(words) if self.random() < p else []

    def numkeys(self, keys):
        return self.pick([b"0", b"-1", b"100", b"abc", b"2"]) if self.random() < 0.04 else b"%d" % len(keys)

    def command(self):
        r = self.random()
        if r < 0.01:
            return self.broken()
        if r < 0.01 + self.deletes:
            return [self.pick([b"DEL", b"UNLINK"]), self.pick(ALL_KEYS)]
        r = self.random() * self.total
        for make, weight in self.weights:
            r -= weight
            if r < 0:
                return make()
        return self.key_command()

    def broken(self):
        """A command that lost or gained an argument, or has a strange one."""
        command = self.command()
        if command[0] in (b"SPOP", b"HSCAN", b"SSCAN", b"ZSCAN", b"SORT", b"SORT_RO", b"XCLAIM", b"XAUTOCLAIM", b"HEXPIRE", b"HPEXPIRE"):
            return command  # with other arguments these answer or do what Redis leaves open, or depend on the clock
        if command[0] in (b"ZRANK", b"ZREVRANK", b"XSETID") or any(key in KEYS["lex"] + KEYS["producers"] for key in command[1:2]):
            return command  # these take more arguments since 7.0; and ranges by member mean nothing over several scores
        strange = STRANGE_IDS if command[0].startswith(b"X") else STRANGE
        at = 1 + int(self.random() * len(command))
        what = self.random()
        if what < 0.4 and at < len(command):
            del command[at]
        elif what < 0.7:
            command.insert(at, self.pick(strange))
        elif at < len(command):
            command[at] = self.pick(strange)
        return command

    # --- families -------------------------------------------------------------------------------------------------------------------

    def string(self):
        k = lambda: self.key("string")
        own = self.pick(KEYS["string"])  # what changes some bytes only: of a corrupt HyperLogLog Redis changes some before it sees that
        r = int(self.random() * 14)
        if r < 3:
            return [b"SET", k(), self.member()] + self.maybe(self.pick([b"NX", b"XX", b"GET", b"KEEPTTL"]))
        if r < 5:
            return [b"GET", k()]
        if r == 5:
            return [self.pick([b"INCR", b"DECR"]), k()]
        if r == 6:
            return [self.pick([b"INCRBY", b"DECRBY"]), k(), self.pick(INTS)]
        if r == 7:
            return [b"INCRBYFLOAT", k(), self.pick(FLOATS)]
        if r == 8:
            return [b"APPEND", own, self.member()] if self.chance(0.5) else [b"STRLEN", k()]
        if r == 9:
            return [b"SETRANGE", own, self.integer(), self.member()] if self.chance(0.5) else [b"GETRANGE", k(), self.integer(), self.integer()]
        if r == 10:
            return [b"MSET"] + [x for key in self.keys("string") for x in (key, self.member())]
        if r == 11:
            return [b"MGET"] + self.keys("string")
        if r == 12:
            return [b"SETBIT", own, self.integer(), self.pick([b"0", b"1"])] if self.chance(0.5) else [b"BITCOUNT", k()]
        if self.newer and self.chance(0.7):
            options = self.maybe(b"BYINT", self.pick(INTS), p=0.7) + self.maybe(b"LBOUND", self.pick(INTS)) + self.maybe(b"UBOUND", self.pick(INTS))
            return [b"INCREX", k()] + options + self.maybe(b"SATURATE") + self.maybe(b"PERSIST")
        return [self.pick([b"GETDEL", b"STRLEN"]), k()]

    def hash(self):
        k, m = self.key("hash"), self.member
        if self.newer and self.chance(0.3):
            return self.hash_expiry(k)
        r = int(self.random() * (20 - 2 * self.newer))
        if r < 5:
            fields = [x for field in self.members() for x in (field, m())]
            return [self.pick([b"HSET", b"HSET", b"HMSET"]), k] + fields
        if r == 5:
            return [b"HSETNX", k, m(), m()]
        if r < 8:
            return [self.pick([b"HGET", b"HEXISTS", b"HSTRLEN"]), k, m()]
        if r == 8:
            return [b"HMGET", k] + self.members()
        if r < 11:
            return [b"HDEL", k] + self.members()
        if r == 11:
            return [b"HINCRBY", k, m(), self.pick(INTS)]
        if r == 12:
            return [b"HINCRBYFLOAT", k, m(), self.pick(FLOATS)]
        if r < 16:
            return [self.pick([b"HGETALL", b"HKEYS", b"HVALS", b"HLEN"]), k]
        if r == 16:
            return [b"HSCAN", k, b"0", b"COUNT", b"100000"] + self.maybe(b"MATCH", self.pick([b"*", b"a*", b"n1*", b"[ab]"]))
        if r == 17:
            return [b"HRANDFIELD", k] + self.pick([[], [self.count()], [self.count(), b"WITHVALUES"], [b"5", b"ODD"]])
        return [b"HLEN", k]

    def around(self, block, *options):
        """Each option before or after the block; rarely one of them twice."""
        before, after = [], []
        for option in options + (self.pick(options),) * self.chance(0.03):
            side = self.pick([before, after])
            side += option
        return before + block + after

    def hash_expiry(self, k):
        fields = self.members(3)
        tail = [b"FIELDS", self.numkeys(fields)] + fields
        condition = self.maybe(self.pick([b"NX", b"XX", b"GT", b"LT"]))
        r = int(self.random() * 9)
        if r < 2:
            when = self.pick([b"0", b"-1", b"abc", b"9223372036854775807"])
            return [self.pick([b"HEXPIRE", b"HPEXPIRE"]), k, when] + self.around(tail, condition)
        if r < 4:
            another = self.maybe(self.pick([b"NX", b"XX", b"GT", b"LT"]), p=0.03)
            return [b"HEXPIREAT", k, self.pick([b"9999999999", b"9999999998", b"1"])] + self.around(tail, condition, another)
        if r == 4:
            return [b"HPEXPIREAT", k, self.pick([b"9999999999000", b"9999999999999", b"1"])] + self.around(tail, condition)
        if r == 5:
            return [self.pick([b"HEXPIRETIME", b"HPEXPIRETIME", b"HPERSIST"]), k] + tail
        if r == 6:
            return [b"HGETDEL", k] + tail
        if r == 7:
            times = [[b"EXAT", b"9999999998"], [b"PXAT", self.pick([b"9999999999999", b"1"])]]
            return [b"HGETEX", k] + self.around(tail, self.pick([[], [], [b"PERSIST"]] + times), self.maybe(b"PERSIST", p=0.03))
        block = [b"FIELDS", self.numkeys(fields)] + [x for field in fields for x in (field, self.member())]
        expiry = self.pick([[], [], [b"KEEPTTL"], [b"EXAT", self.pick([b"9999999999", b"1"])]])
        return [b"HSETEX", k] + self.around(block, self.maybe(self.pick([b"FNX", b"FXX"])), expiry)

    def list(self):
        k, m, i = self.key("list"), self.member, self.integer
        r = int(self.random() * 23)
        if r < 6:
            return [self.pick([b"RPUSH", b"LPUSH", b"RPUSH", b"LPUSHX", b"RPUSHX"]), k] + self.members()
        if r < 9:
            return [self.pick([b"LPOP", b"RPOP"]), k] + self.maybe(self.count(), p=0.4)
        if r < 12:
            return [b"LRANGE", k, i(), i()]
        if r == 12:
            return [b"LINDEX", k, i()]
        if r == 13:
            return [b"LSET", k, i(), m()]
        if r == 14:
            return [b"LINSERT", k, self.pick([b"BEFORE", b"AFTER", b"before", b"x"]), m(), m()]
        if r == 15:
            return [b"LREM", k, i(), m()]
        if r == 16:
            return [b"LTRIM", k, i(), i()] if self.chance(0.5) else [b"LTRIM", k, self.pick([b"0", b"1"]), self.pick([b"-1", b"-2", b"200"])]
        if r == 17:
            return [b"LLEN", k]
        if r == 18:
            return [b"LPOS", k, m()] + self.maybe(b"RANK", i().replace(b"-9223372036854775808", b"-9")) + self.maybe(b"COUNT", self.count()) + self.maybe(b"MAXLEN", self.count(), p=0.2)
        if r == 19:
            return [b"RPOPLPUSH", k, self.key("list")]
        if r == 20 and self.newer and self.chance(0.5):
            sides = [self.pick([b"LEFT", b"RIGHT"]), self.pick([b"LEFT", b"RIGHT"])]
            how_many = [self.pick([b"COUNT", b"EXACTLY"]), self.count(), self.pick([b"OBO", b"BULK"])]
            return [b"LMOVEM", k, self.key("list")] + sides + self.maybe(*how_many, p=0.8)
        if r == 20:
            return [b"LMOVE", k, self.key("list"), self.pick([b"LEFT", b"RIGHT", b"UP"]), self.pick([b"LEFT", b"RIGHT"])]
        if r == 21:
            keys = self.keys("list")
            return [b"LMPOP", self.numkeys(keys)] + keys + [self.pick([b"LEFT", b"RIGHT"])] + self.maybe(b"COUNT", self.count())
        return [b"LINDEX", k, b"0"]

    def sort(self):
        family = self.pick(["list", "set", "zset"])
        # Redis leaves open the order of a set's members, and that of elements whose texts to sort by are missing.
        k, alpha = self.pick(KEYS[family]), self.maybe(b"ALPHA", p=0.6)
        patterns = ([b"nosort"] if family != "set" else []) + ([b"string*", b"hash0->*", b"*"] if not alpha else [])
        command = [self.pick([b"SORT", b"SORT_RO"]), k] + alpha + self.maybe(self.pick([b"ASC", b"DESC"]))
        command += self.maybe(b"LIMIT", self.pick(SMALL), self.pick(SMALL)) + (self.maybe(b"BY", self.pick(patterns), p=0.2) if patterns else [])
        command += self.maybe(b"GET", self.pick([b"#", b"string*", b"hash*->a"]), p=0.2)
        # Of texts that are no numbers Redis sees some only by what was converted before: with such, no state is left behind.
        if command[0] == b"SORT" and not self.newer and alpha and b"nosort" not in command:
            command += self.maybe(b"STORE", self.key("list"), p=0.2)
        return command

    def set(self):
        k, m = self.key("set"), self.member
        r = int(self.random() * 22)
        if r < 6:
            return [b"SADD", k] + self.members()
        if r < 9:
            return [b"SREM", k] + self.members()
        if r == 9:
            return [b"SISMEMBER", k, m()]
        if r == 10:
            return [b"SMISMEMBER", k] + self.members()
        if r < 13:
            return [self.pick([b"SCARD", b"SMEMBERS"]), k]
        if r == 13:
            return [b"SMOVE", k, self.key("set"), m()]
        if r < 16:
            return [self.pick([b"SINTER", b"SUNION", b"SDIFF"])] + self.keys("set")
        if r < 18:
            return [self.pick([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"]), k] + self.keys("set")
        if r == 18:
            keys = self.keys("set")
            card = self.pick([b"SINTERCARD"] + [b"SUNIONCARD", b"SDIFFCARD"] * self.newer)
            return [card, self.numkeys(keys)] + keys + self.maybe(b"LIMIT", self.count())
        if r == 19:
            return [b"SSCAN", k, b"0", b"COUNT", b"100000"] + self.maybe(b"MATCH", self.pick([b"*", b"a*", b"n1*"]))
        if r == 20:
            return [b"SRANDMEMBER", k] + self.maybe(self.count(), p=0.7)
        if self.newer:
            return [b"SPOP", k] + self.maybe(self.count(), p=0.5)
        return [b"SPOP", k, b"100000"]

    def zset(self):
        k, m, i = self.key("zset"), self.member, self.integer
        bounds = lambda: [self.pick(SCORE_BOUNDS), self.pick(SCORE_BOUNDS)]
        limit = lambda: self.maybe(b"LIMIT", i(), i(), p=0.2)
        r = int(self.random() * 34)
        if r < 8:
            options = self.maybe(self.pick([b"NX", b"XX", b"GT", b"LT"]), p=0.25) + self.maybe(b"CH", p=0.15)
            if self.random() < 0.08:
                return [b"ZADD", k] + options + [b"INCR", self.score(), m()]
            return [b"ZADD", k] + options + [x for member in self.members() for x in (self.score(), member)]
        if r == 8:
            return [b"ZINCRBY", k, self.score(), m()]
        if r < 11:
            return [b"ZREM", k] + self.members()
        if r == 11:
            return [self.pick([b"ZSCORE", b"ZRANK", b"ZREVRANK"]), k, m()]
        if r == 12:
            return [b"ZMSCORE", k] + self.members()
        if r == 13:
            return [b"ZCARD", k]
        if r == 14:
            return [b"ZCOUNT", k] + bounds()
        if r == 15:
            return self.lex()
        if r < 19:
            by = self.pick([[], [], [b"BYSCORE"]])
            ends = bounds() if by else [i(), i()]
            command = [b"ZRANGE", k] if self.chance(0.8) else [b"ZRANGESTORE", self.key("zset"), k]
            return command + ends + by + self.maybe(b"REV") + limit() + (self.maybe(b"WITHSCORES") if command[0] == b"ZRANGE" else [])
        if r == 19:
            return [b"ZREVRANGE", k, i(), i()] + self.maybe(b"WITHSCORES")
        if r == 20:
            return [self.pick([b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE"]), k] + bounds() + self.maybe(b"WITHSCORES") + limit()
        if r == 21:
            return self.lex()
        if r == 22:
            return [b"ZREMRANGEBYRANK", k, i(), i()]
        if r == 23:
            return [b"ZREMRANGEBYSCORE", k] + bounds()
        if r == 24:
            return self.lex()
        if r == 25:
            return [self.pick([b"ZPOPMIN", b"ZPOPMAX"]), k] + self.maybe(self.count(), p=0.5)
        if r == 26:
            keys = self.keys("zset")
            return [b"ZMPOP", self.numkeys(keys)] + keys + [self.pick([b"MIN", b"MAX"])] + self.maybe(b"COUNT", self.count())
        if r < 31:
            return self.zset_algebra(k)
        if r == 31:
            return [b"ZSCAN", k, b"0", b"COUNT", b"100000"]
        if r == 32:
            return [b"ZRANDMEMBER", k] + self.pick([[], [self.count()], [self.count(), b"WITHSCORES"]])
        return [b"ZCARD", k]

    def lex(self):
        k, ends = self.key_of_lex(), [self.pick(LEX_BOUNDS), self.pick(LEX_BOUNDS)]
        limit = self.maybe(b"LIMIT", self.integer(), self.integer(), p=0.2)
        r = int(self.random() * 10)
        if r < 3:
            return [b"ZADD", k] + [x for member in self.members() for x in (b"0", member)]
        if r == 3:
            return [b"ZREM", k] + self.members()
        if r == 4:
            return [b"ZLEXCOUNT", k] + ends
        if r == 5:
            return [b"ZRANGE", k] + ends + [b"BYLEX"] + self.maybe(b"REV") + limit
        if r == 6:
            return [b"ZREMRANGEBYLEX", k] + ends
        if r == 7:
            return self.pick([[b"DEL", k], [b"SET", k, b"x"], [b"ZRANGESTORE", k, self.key_of_lex()] + ends + [b"BYLEX"] + limit])
        return [self.pick([b"ZRANGEBYLEX", b"ZREVRANGEBYLEX"]), k] + ends + limit

    def key_of_lex(self):
        return self.pick(KEYS["lex"])

    def zset_algebra(self, k):
        keys = [self.key(self.pick(["zset", "zset", "set"])) for _ in range(1 + int(self.random() * 3))]
        what = self.pick([b"ZUNION", b"ZINTER", b"ZDIFF", b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE", b"ZINTERCARD"])
        command = [what] + ([k] if what.endswith(b"STORE") else []) + [self.numkeys(keys)] + keys
        if what == b"ZINTERCARD":
            return command + self.maybe(b"LIMIT", self.count())
        if not what.startswith(b"ZDIFF"):
            command += self.maybe(b"WEIGHTS", *[self.pick([b"1", b"2", b"-1", b"0.5", b"inf", b"x"]) for _ in keys], p=0.2)
            command += self.maybe(b"AGGREGATE", self.pick([b"SUM", b"MIN", b"MAX"] + [b"COUNT"] * self.newer), p=0.3)
        return command + ([] if what.endswith(b"STORE") else self.maybe(b"WITHSCORES"))

    def stream_id(self):
        r = self.random()
        if r < 0.7:
            return b"%d-%d" % (max(1, self.next_id - int(self.random() * 40)), int(self.random() * 3))
        return self.pick([b"-", b"+", b"$", b"0", b"0-0", b"1", b"5-1", b"abc", b"1-1", b"3", b"(1-0", b"(5", b"", b"1-*"]) if r < 0.98 else b"18446744073709551615-18446744073709551615"

    def stream(self):
        k, sid = self.key("stream"), self.stream_id
        group, consumer = self.pick([b"g1"] * 6 + [b"g2", b"none"]), self.pick([b"c1", b"c2", b"\x00"])
        trim = lambda: self.pick([[b"MAXLEN", self.count()], [b"MAXLEN", b"=", self.count()], [b"MINID", sid()]])
        if self.newer and self.chance(0.2):
            return self.newer_stream(k, group)
        r = int(self.random() * 26)
        if r < 7:
            self.next_id += 1
            where = b"%d-%d" % (self.next_id, int(self.random() * 2)) if self.chance(0.85) else self.pick([b"0-0", b"1-1", b"%d-*" % self.next_id, b"x", b"0-1"])
            fields = [x for _ in range(1 + int(self.random() * 3)) for x in (self.pick(COMMON[:3]) if self.chance(0.8) else self.member(), self.member())]
            return [b"XADD", k] + self.maybe(b"NOMKSTREAM", p=0.05) + (trim() if self.chance(0.1) else []) + [where] + fields
        if r < 10:
            return [self.pick([b"XRANGE", b"XREVRANGE"]), k, sid(), sid()] + self.maybe(b"COUNT", self.count())
        if r == 10:
            return [b"XLEN", k]
        if r == 11:
            return [b"XDEL", k] + [sid() for _ in range(1 + int(self.random() * 3))]
        if r == 12:
            return [b"XTRIM", k] + trim()
        if r == 13:
            keys = self.keys("stream")
            ids = [sid() for _ in keys]
            if not self.newer:  # the last entry, since 7.4
                ids = [b"abc" if one == b"+" else one for one in ids]
            return [b"XREAD"] + self.maybe(b"COUNT", self.count()) + [b"STREAMS"] + keys + ids
        if r < 16:
            what = self.pick([b"CREATE", b"CREATE", b"CREATE", b"CREATE", b"SETID", b"DESTROY", b"CREATECONSUMER", b"DELCONSUMER"])
            if what == b"CREATE" and self.chance(0.7):
                return [b"XGROUP", what, k, b"g1", self.pick([b"0", b"0", b"$"]), b"MKSTREAM"]
            tail = {b"CREATE": [sid()] + self.maybe(b"MKSTREAM"), b"SETID": [sid()], b"DESTROY": []}.get(what, [consumer])
            return [b"XGROUP", what, k, group] + tail
        if r < 20:
            return [b"XREADGROUP", b"GROUP", group, consumer] + self.maybe(b"COUNT", self.count()) + self.maybe(b"NOACK", p=0.1) + \
                   [b"STREAMS", k, b">" if self.chance(0.7) else self.pick([sid(), b"0", b"0-1"]).replace(b"18446744073709551615", b"9999")]
        if r == 20:
            return [b"XACK", k, group] + [sid() for _ in range(1 + int(self.random() * 3))]
        if r == 21:
            return [b"XPENDING", k, group] + self.pick([[], [b"-", b"+", self.count()], [sid(), sid(), b"10", consumer]])
        if r == 22:
            return [b"XCLAIM", k, group, consumer, b"0"] + [sid() for _ in range(1 + int(self.random() * 2))] + self.maybe(b"FORCE") + self.maybe(b"JUSTID")
        if r == 23:
            return [b"XAUTOCLAIM", k, group, consumer, b"0", sid()] + self.maybe(b"COUNT", self.count()) + self.maybe(b"JUSTID")
        if r == 24:
            return [b"XSETID", k, sid()] + self.maybe(b"ENTRIESADDED", self.count(), b"MAXDELETEDID", sid(), p=0.2)
        return [b"XINFO", self.pick([b"STREAM", b"GROUPS"]), k]

    def newer_stream(self, k, group):
        """What redis 7.0 does not know."""
        r = self.random()
        if r < 0.2:
            return [b"XREADGROUP", b"GROUP", group, self.pick([b"c1", b"c2"]), b"CLAIM", self.pick([b"0", b"0", b"0", b"-1", b"x"])] + \
                   self.maybe(b"NOACK", p=0.1) + [b"STREAMS", k, b">"]
        if r < 0.7:
            ids = [self.stream_id() for _ in range(1 + int(self.random() * 3))]
            if r < 0.4:
                return [b"XNACK", k, group, self.pick([b"SILENT", b"SILENT", b"FAIL", b"FATAL", b"x"]), b"IDS", self.numkeys(ids)] + ids + \
                       self.maybe(b"FORCE", p=0.2) + self.maybe(b"RETRYCOUNT", self.count(), p=0.2)
            tail = self.maybe(self.pick([b"KEEPREF", b"DELREF", b"ACKED", b"x"]), p=0.7) + [b"IDS", self.numkeys(ids)] + ids
            return [b"XDELEX", k] + tail if self.chance(0.5) else [b"XACKDEL", k, group] + tail
        k = self.pick(KEYS["producers"])
        if r < 0.71:
            return [b"DEL", k]
        if r < 0.75:
            return [b"XRANGE", k, b"-", b"+"]
        message = self.pick([[b"IDMP", self.pick([b"p1", b"p2"]), self.pick(COMMON)], [b"IDMPAUTO", self.pick([b"p1", b"p2"])]])
        return [b"XADD", k] + message + [b"*", self.pick(COMMON[:3]), self.pick(COMMON[:3])]

    def hll(self):
        r = int(self.random() * 8)
        if r < 4:
            return [b"PFADD", self.pick(KEYS["hll"])] + (self.members(6) if self.chance(0.9) else [])
        if r < 6:
            return [b"PFCOUNT"] + [self.pick(KEYS["hll"]) for _ in range(1 + int(self.random() * 3))]
        if r == 6:
            return [b"PFMERGE", self.pick(KEYS["hll"])] + [self.pick(KEYS["hll"]) for _ in range(1 + int(self.random() * 3))]
        if self.chance(0.2):
            # Not into the registers: of corrupt ones Redis changes some before it sees that, and we none.
            return [b"SETRANGE", self.pick(KEYS["hll"]), self.pick([b"4", b"0"]), self.pick([b"x", b"HYLX", b""])]
        return [b"PFDEBUG", self.pick([b"ENCODING", b"DECODE", b"TODENSE", b"X"]), self.pick(KEYS["hll"])]

    def geo(self):
        k, m = self.key("geo"), self.member
        point = lambda: [self.pick(LONGITUDES[:9]), self.pick(LATITUDES[:8])] if self.chance(0.95) else [self.pick(LONGITUDES), self.pick(LATITUDES)]
        radius = lambda: [self.pick([b"1", b"100", b"5000", b"300.5", b"0", b"-1", b"x", b"20000"]), self.pick(UNITS)]
        withs = lambda: self.maybe(b"WITHDIST") + self.maybe(b"WITHHASH") + self.maybe(b"WITHCOORD") + self.maybe(self.pick([b"ASC", b"DESC"]))
        r = int(self.random() * 12)
        if r < 4:
            return [b"GEOADD", k] + self.maybe(self.pick([b"NX", b"XX", b"CH"]), p=0.2) + \
                   [x for _ in range(1 + int(self.random() * 3)) for x in point() + [m()]]
        if r == 4:
            return [self.pick([b"GEOPOS", b"GEOHASH"]), k] + self.members()
        if r == 5:
            return [b"GEODIST", k, m(), m()] + self.maybe(self.pick(UNITS))
        if r == 6:
            return [self.pick([b"GEORADIUS", b"GEORADIUS_RO"]), k] + point() + radius() + withs()
        if r == 7:
            return [self.pick([b"GEORADIUSBYMEMBER", b"GEORADIUSBYMEMBER_RO"]), k, m()] + radius() + withs()
        if r == 8 and not self.newer:
            return [b"GEORADIUS", k] + point() + radius() + [self.pick([b"STORE", b"STOREDIST"]), self.key("geo")]
        start = [b"FROMLONLAT"] + point() if self.chance(0.6) else [b"FROMMEMBER", m()]
        shape = [b"BYRADIUS"] + radius() if self.chance(0.5) else [b"BYBOX", self.pick([b"100", b"3000", b"x", b"-1"])] + radius()
        if r == 9 and not self.newer:
            return [b"GEOSEARCHSTORE", self.key("geo"), k] + start + shape + self.maybe(b"STOREDIST")
        return [b"GEOSEARCH", k] + start + shape + withs()

    def pair(self):
        """Two keys of a family; a HyperLogLog becomes no other family's, and no string becomes one."""
        family = self.pick(FAMILIES)
        one = (lambda: self.pick(KEYS[family])) if family in ("string", "hll") else (lambda: self.key(family))
        return [one(), one()]

    def key_command(self):
        k = self.pick(ALL_KEYS)
        r = int(self.random() * 12)
        if r < 2:
            return [self.pick([b"DEL", b"UNLINK"]), k]
        if r == 2:
            return [b"EXISTS"] + [self.pick(ALL_KEYS) for _ in range(2)]
        if r == 3:
            return [b"TYPE", k]
        if r == 4:
            return [self.pick([b"RENAME", b"RENAMENX"])] + self.pair()
        if r == 5:
            return [b"COPY"] + self.pair() + self.maybe(b"REPLACE", p=0.6)
        if r == 6:
            return [b"PEXPIREAT", k, self.pick([b"9999999999000", b"9999999999999", b"1"])] + self.maybe(self.pick([b"NX", b"XX", b"GT", b"LT"]))
        if r == 7:
            return [self.pick([b"PERSIST", b"PEXPIRETIME", b"EXPIRETIME"]), k]
        if r == 8:
            return [b"DBSIZE"]
        if r == 9:
            return [b"OBJECT", b"ENCODING", k]
        if r == 10:
            return [b"MOVE", k, self.pick([b"0", b"1", b"99", b"x"])]
        return [b"TOUCH", k]

    def block(self):
        """A command, or a transaction of some."""
        if self.random() < 0.001:
            self.deletes = self.pick([0.001, 0.02, 0.02, 0.1])
        if self.random() > 0.01:
            return [self.command()]
        inside = [self.command() for _ in range(int(self.random() * 5))]
        return [[b"MULTI"]] + inside + [[b"EXEC"] if self.chance(0.8) else [b"DISCARD"]]
