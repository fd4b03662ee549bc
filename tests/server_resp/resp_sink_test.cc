#include "server/resp/resp_sink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "engine/values/rope.h"

namespace cairn {
namespace {

std::string Drain(OutputQueue& queue) {
  std::string out;
  iovec pieces[7];
  while (queue.sendable_bytes() > 0) {
    const size_t count = queue.Gather(pieces, 7);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
      out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
      size += pieces[i].iov_len;
    }
    queue.Consume(size);
  }
  return out;
}

std::string Written(int protocol, const std::function<void(RespSink&)>& write) {
  RespSink sink;
  OutputQueue queue;
  sink.Bind(&queue, &protocol);
  write(sink);
  sink.Spill();
  return Drain(queue);
}

TEST(RespSink, BothProtocols) {
  struct Case {
    const char* name;
    std::function<void(RespSink&)> write;
    std::string resp2, resp3;
  };
  const Case cases[] = {
      {"ok", [](RespSink& s) { s.Ok(); }, "+OK\r\n", "+OK\r\n"},
      {"simple", [](RespSink& s) { s.Simple("a\r\nb"); }, "+a  b\r\n", "+a  b\r\n"},
      {"error", [](RespSink& s) { s.Error("ERR no\nway"); }, "-ERR no way\r\n", "-ERR no way\r\n"},
      {"integer", [](RespSink& s) { s.Integer(INT64_MIN); }, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
      {"bulk", [](RespSink& s) { s.Bulk(std::string_view("a\r\n\0b", 5)); }, std::string("$5\r\na\r\n\0b\r\n", 11),
       std::string("$5\r\na\r\n\0b\r\n", 11)},
      {"empty bulk", [](RespSink& s) { s.Bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
      {"null", [](RespSink& s) { s.Null(); }, "$-1\r\n", "_\r\n"},
      {"null array", [](RespSink& s) { s.NullArray(); }, "*-1\r\n", "_\r\n"},
      {"array",
       [](RespSink& s) {
         s.Array(2);
         s.Integer(1);
         s.Integer(2);
       },
       "*2\r\n:1\r\n:2\r\n", "*2\r\n:1\r\n:2\r\n"},
      {"map", [](RespSink& s) { s.Map(2); }, "*4\r\n", "%2\r\n"},
      {"set", [](RespSink& s) { s.Set(3); }, "*3\r\n", "~3\r\n"},
      {"push", [](RespSink& s) { s.Push(3); }, "*3\r\n", ">3\r\n"},
      {"double", [](RespSink& s) { s.Double(1.5); }, "$3\r\n1.5\r\n", ",1.5\r\n"},
      {"infinity", [](RespSink& s) { s.Double(-__builtin_inf()); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
      {"big number", [](RespSink& s) { s.BigNumber("123"); }, "$3\r\n123\r\n", "(123\r\n"},
      {"boolean",
       [](RespSink& s) {
         s.Boolean(true);
         s.Boolean(false);
       },
       ":1\r\n:0\r\n", "#t\r\n#f\r\n"},
      {"verbatim", [](RespSink& s) { s.Verbatim("txt", "hello"); }, "$5\r\nhello\r\n", "=9\r\ntxt:hello\r\n"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Written(2, c.write), c.resp2) << c.name;
    EXPECT_EQ(Written(3, c.write), c.resp3) << c.name;
  }
}

TEST(RespSink, RepliesLargerThanTheBuffer) {
  const std::string large(200'000, 'x');
  std::string many;
  for (int i = 0; i < 20'000; i++) many += "$10\r\n0123456789\r\n";
  EXPECT_EQ(Written(2,
                    [&](RespSink& s) {
                      s.Integer(1);
                      s.Bulk(large);
                      s.Integer(2);
                    }),
            ":1\r\n$200000\r\n" + large + "\r\n:2\r\n");
  EXPECT_EQ(Written(3, [&](RespSink& s) { s.Verbatim("txt", large); }), "=200004\r\ntxt:" + large + "\r\n");
  EXPECT_EQ(Written(2,
                    [&](RespSink& s) {
                      for (int i = 0; i < 20'000; i++) s.Bulk("0123456789");
                    }),
            many);
}

TEST(RespSink, RopesAreLinked) {
  const SharedBytes first = SharedBytes::Copy(std::string(50'000, 'a'));
  RespSink sink;
  OutputQueue queue;
  const int protocol = 2;
  sink.Bind(&queue, &protocol);
  sink.Simple("before");
  const Rope rope{SharedBytes(first)};
  sink.BulkRope(rope);
  sink.Simple("after");
  sink.Spill();
  EXPECT_EQ(Drain(queue), "+before\r\n$50000\r\n" + std::string(50'000, 'a') + "\r\n+after\r\n");
}

TEST(RespSink, ErrorsAreCountedAndHeard) {
  std::string heard;
  RespSink sink([&](std::string_view message) { heard = message; });
  OutputQueue queue;
  const int protocol = 2;
  sink.Bind(&queue, &protocol);
  sink.Error("WRONGTYPE x");
  EXPECT_EQ(heard, "WRONGTYPE x");
  EXPECT_EQ(sink.error_count(), 1u);
}

TEST(RespSink, RewindDropsTheLastReplies) {
  RespSink sink;
  OutputQueue queue;
  const int protocol = 2;
  sink.Bind(&queue, &protocol);
  sink.Integer(1);
  const uint64_t mark = sink.Mark();
  sink.Integer(2);
  sink.Rewind(mark);
  sink.Integer(3);
  const uint64_t second = sink.Mark();
  sink.Bulk(std::string(150'000, 'x'));
  sink.Rewind(second);
  sink.Integer(4);
  sink.Spill();
  EXPECT_EQ(Drain(queue), ":1\r\n:3\r\n:4\r\n");
}

TEST(RespSink, ProtocolMayChangeInTheMiddle) {
  RespSink sink;
  OutputQueue queue;
  int protocol = 2;
  sink.Bind(&queue, &protocol);
  sink.Null();
  protocol = 3;
  sink.Null();
  sink.Spill();
  EXPECT_EQ(Drain(queue), "$-1\r\n_\r\n");
}

TEST(OutputQueue, GatesHoldBackInOrder) {
  OutputQueue queue;
  queue.Append("free");
  uint64_t begin = queue.end_offset();
  queue.Append("at10");
  queue.AddGate(begin, 10);
  queue.Append("behind");
  begin = queue.end_offset();
  queue.Append("at20");
  queue.AddGate(begin, 20);
  begin = queue.end_offset();
  queue.Append("at15");  // an older LSN behind a newer one needs no gate of its own
  queue.AddGate(begin, 15);
  EXPECT_EQ(queue.gate_count(), 2u);
  EXPECT_EQ(Drain(queue), "free");
  EXPECT_FALSE(queue.OpenGates(9));
  EXPECT_EQ(Drain(queue), "");
  EXPECT_TRUE(queue.OpenGates(10));
  EXPECT_EQ(Drain(queue), "at10behind");
  EXPECT_FALSE(queue.OpenGates(19));
  EXPECT_TRUE(queue.OpenGates(25));
  EXPECT_EQ(Drain(queue), "at20at15");
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.gated());
}

TEST(OutputQueue, GatesOfReadsOpenByThemselvesFromTheOldestOn) {
  OutputQueue queue;
  const auto add = [&](std::string_view text, Lsn lsn, std::vector<uint64_t> read_hashes) {
    const uint64_t begin = queue.end_offset();
    queue.Append(text);
    queue.AddGate(begin, lsn, std::move(read_hashes));
  };
  const auto durable_but_7 = [](std::span<const uint64_t> read_hashes, Lsn) {
    return std::find(read_hashes.begin(), read_hashes.end(), 7) == read_hashes.end();
  };
  add("a", 10, {1, 2});
  add("b", 20, {3});
  add("c", 30, {});  // a write
  add("d", 40, {4});
  EXPECT_FALSE(queue.OpenGates(0, [](auto, Lsn) { return false; }));
  EXPECT_TRUE(queue.OpenGates(0, durable_but_7));
  EXPECT_EQ(Drain(queue), "ab");
  EXPECT_TRUE(queue.OpenGates(30));
  EXPECT_TRUE(queue.OpenGates(0, durable_but_7));
  EXPECT_EQ(Drain(queue), "cd");
  EXPECT_FALSE(queue.gated());

  // What is swallowed by a gate before it still waits for its own reason.
  add("read", 60, {5});
  add("pushed", 50, {});
  EXPECT_FALSE(queue.OpenGates(0, durable_but_7));
  EXPECT_TRUE(queue.OpenGates(60));
  EXPECT_EQ(Drain(queue), "readpushed");
  add("read", 80, {5});
  add("read", 70, {7});
  EXPECT_FALSE(queue.OpenGates(0, durable_but_7));
  EXPECT_TRUE(queue.OpenGates(80));
  EXPECT_EQ(Drain(queue), "readread");

  // So does a gate that a later one covers.
  const uint64_t begin = queue.end_offset();
  queue.Append("pushed");
  queue.AddGate(begin, 90);
  queue.AddGate(begin, 100, {5});
  EXPECT_FALSE(queue.OpenGates(0, durable_but_7));
  EXPECT_TRUE(queue.OpenGates(100));
  EXPECT_EQ(Drain(queue), "pushed");
}

TEST(OutputQueue, AGateThatBeginsEarlierSwallowsLaterOnes) {
  OutputQueue queue;
  queue.Append("a");
  queue.Append("b");
  queue.AddGate(1, 30);
  queue.AddGate(0, 20);
  EXPECT_EQ(queue.sendable_bytes(), 0u);
  queue.OpenGates(20);
  EXPECT_EQ(queue.sendable_bytes(), 0u);
  queue.OpenGates(30);
  EXPECT_EQ(Drain(queue), "ab");
}

TEST(OutputQueue, ManySmallAppendsAndPartialSends) {
  OutputQueue queue;
  std::string expected, got;
  const SharedBytes shared = SharedBytes::Copy(std::string(1000, 's'));
  for (int i = 0; i < 3000; i++) {
    const std::string text = std::to_string(i);
    queue.Append(text);
    expected += text;
    if (i % 7 == 0) {
      queue.Link(shared, 10, 90);
      expected += std::string(90, 's');
    }
    if (i % 3 == 0) {
      iovec piece;
      if (queue.Gather(&piece, 1) == 1) {
        const size_t part = (piece.iov_len + 1) / 2;
        got.append(static_cast<const char*>(piece.iov_base), part);
        queue.Consume(part);
      }
    }
  }
  got += Drain(queue);
  EXPECT_EQ(got, expected);
  EXPECT_EQ(queue.memory_bytes(), 0u);
}

}  // namespace
}  // namespace cairn
