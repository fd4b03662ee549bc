// Restoring through a running server: commands are sent ahead of their replies, which are read and checked along the way.

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/codec/hash_rdb.h"
#include "engine/codec/redis70_value.h"
#include "snapshot/rdb_reader.h"
#include "tools/restore/restore_target.h"

namespace cairn {
namespace {

constexpr size_t kSendBytes = size_t{256} << 10;
constexpr size_t kAheadMax = 10'000;  // commands whose replies are not read yet
constexpr size_t kNameShownMax = 64;

class ServerTarget final : public RestoreTarget {
 public:
  ServerTarget(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  ~ServerTarget() override { close(fd_); }

  Status Login(const ServerAddress& address) {
    if (address.password.empty()) return Status();
    if (address.user.empty()) {
      Send({"AUTH", address.password}, "AUTH");
    } else {
      Send({"AUTH", address.user, address.password}, "AUTH");
    }
    return AwaitAll();
  }

  // What it takes beyond Redis 7.0. One that does not tell is believed to take everything: an error will name the key.
  Status AskWhatItLoads() {
    std::string info, command;
    Send({"INFO", "server"}, "INFO");
    Send({"COMMAND", "INFO", "HPEXPIREAT"}, "COMMAND INFO");
    const Result<bool> told = ReadAnswers({&info, &command});
    if (!told.ok()) return told.status();
    is_cairn_ = !*told || info.find("cairn_version:") != std::string::npos;
    has_field_expiries_ = !*told || command.find("hpexpireat") != std::string::npos;
    return Status();
  }

  Status Run(uint32_t database, const std::vector<std::string_view>& args, uint64_t offset) override {
    if (database != database_) {
      Send({"SELECT", std::to_string(database)}, "SELECT " + std::to_string(database));
      database_ = database;
    }
    std::string what(args[0].substr(0, kNameShownMax));
    if (args.size() > 1) what += " of " + QuotedKey(args[1]);
    if (database != 0) what += " in database " + std::to_string(database);
    if (offset != kNoOffset) what += " (at byte " + std::to_string(offset) + ")";
    Send(args, std::move(what));
    if (out_.size() >= kSendBytes) CAIRN_RETURN_IF_ERROR(Flush());
    return sent_.size() >= kAheadMax ? AwaitAll() : Status();
  }

  bool Loads(uint8_t rdb_type) const override {
    return !NeedsRedis70Form(rdb_type) || is_cairn_ || (rdb_type == kRdbTypeHashMetadata && has_field_expiries_);
  }

  Status Finish() override { return AwaitAll(); }

 private:
  Status Failed(const std::string& what) { return Status::Unavailable(name_ + ": " + what); }

  // `what`: the command in the message of its error.
  void Send(const std::vector<std::string_view>& args, std::string what) {
    AppendRequestHeader(out_, args.size());
    for (const std::string_view arg : args) AppendBulk(out_, arg);
    sent_.push_back(std::move(what));
  }

  Status Flush() {
    std::string_view left = out_;
    while (!left.empty()) {
      const ssize_t sent = send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return Failed(std::string(Status::FromErrno(errno, "send").message()));
      left.remove_prefix(static_cast<size_t>(sent));
    }
    out_.clear();
    return Status();
  }

  Status AwaitAll() {
    CAIRN_RETURN_IF_ERROR(Flush());
    for (; !sent_.empty(); sent_.pop_front()) {
      std::string error;
      CAIRN_RETURN_IF_ERROR(ReadReply(nullptr, &error));
      if (!error.empty()) return Failed(sent_.front() + ": " + error);
    }
    return Status();
  }

  // The replies' texts; false where one is an error.
  Result<bool> ReadAnswers(std::initializer_list<std::string*> texts) {
    CAIRN_RETURN_IF_ERROR(Flush());
    std::string error;
    for (std::string* text : texts) {
      CAIRN_RETURN_IF_ERROR(ReadReply(text, &error));
      sent_.pop_front();
    }
    return error.empty();
  }

  // Appends what strings are in it to *text, where that is wanted; *error becomes that of an error.
  Status ReadReply(std::string* text, std::string* error) {
    std::string line;
    CAIRN_RETURN_IF_ERROR(ReadLine(&line));
    if (line.empty()) return Failed("an empty reply");
    if (line[0] == '-') *error = line.substr(1);
    int64_t count = 0;
    const bool counted = ParseInt64(std::string_view(line).substr(1), &count);
    if (line[0] == '$' && counted && count >= 0) return Skip(static_cast<uint64_t>(count) + 2, text);
    if (line[0] == '*' && counted) {
      for (; count > 0; count--) CAIRN_RETURN_IF_ERROR(ReadReply(text, error));
    }
    return Status();
  }

  Status ReadLine(std::string* line) {
    while (true) {
      const size_t end = in_.find("\r\n", at_);
      if (end != std::string::npos) {
        *line = in_.substr(at_, end - at_);
        at_ = end + 2;
        return Status();
      }
      CAIRN_RETURN_IF_ERROR(Receive());
    }
  }

  Status Skip(uint64_t bytes, std::string* text) {
    while (true) {
      const size_t part = std::min<uint64_t>(bytes, in_.size() - at_);
      if (text != nullptr) text->append(in_, at_, part);
      at_ += part;
      bytes -= part;
      if (bytes == 0) return Status();
      CAIRN_RETURN_IF_ERROR(Receive());
    }
  }

  Status Receive() {
    in_.erase(0, at_);
    at_ = 0;
    char buffer[16 << 10];
    ssize_t got;
    do {
      got = recv(fd_, buffer, sizeof(buffer), 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return Failed(std::string(Status::FromErrno(errno, "receive").message()));
    if (got == 0) return Failed("the server closed the connection");
    in_.append(buffer, static_cast<size_t>(got));
    return Status();
  }

  const int fd_;
  const std::string name_;
  std::string out_, in_;
  size_t at_ = 0;
  std::deque<std::string> sent_;  // the commands whose replies are not read yet
  uint32_t database_ = 0;
  bool is_cairn_ = false, has_field_expiries_ = false;
};

}  // namespace

Result<ServerAddress> ParseAddress(const std::string& text) {
  ServerAddress address;
  std::string port = text;
  const size_t colon = text.find_last_of(':');
  if (colon != std::string::npos) {
    address.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (address.host.starts_with('[') && address.host.ends_with(']'))
      address.host = address.host.substr(1, address.host.size() - 2);
  }
  uint64_t number = 0;
  if (address.host.empty() || !ParseUint64(port, &number) || number == 0 || number > UINT16_MAX) {
    return Status::InvalidArgument("'" + text + "' is no address: host:port is needed");
  }
  address.port = static_cast<uint16_t>(number);
  return address;
}

Result<std::unique_ptr<RestoreTarget>> ConnectTarget(const ServerAddress& address) {
  const std::string name = address.host + ":" + std::to_string(address.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) return Status::Unavailable(name + ": " + gai_strerror(error));
  int fd = -1;
  int error_number = 0;
  for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
    fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) break;
    error_number = errno;
    if (fd >= 0) close(fd);
    fd = -1;
  }
  freeaddrinfo(found);
  if (fd < 0) return Status::Unavailable(std::string(Status::FromErrno(error_number, "connect to " + name).message()));
  auto target = std::make_unique<ServerTarget>(fd, name);
  CAIRN_RETURN_IF_ERROR(target->Login(address));
  CAIRN_RETURN_IF_ERROR(target->AskWhatItLoads());
  return std::unique_ptr<RestoreTarget>(std::move(target));
}

}  // namespace cairn
