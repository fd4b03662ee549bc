// cairn-server [FILE] [--name value ...]
#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "base/allocator.h"
#include "base/logger.h"
#include "base/scheduling.h"
#include "server/config/config.h"
#include "server/process_title.h"
#include "server/server.h"
#include "server/version.h"

// Only in a build with counters (cmake/CairnProfile.cmake); LLVM's name.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" __attribute__((weak)) int __llvm_profile_write_file();

namespace {

using cairn::Config;
using cairn::LogF;
using cairn::LogLevel;

constexpr char kUsage[] =
    "Usage: cairn-server [FILE] [--name value ...]\n"
    "       cairn-server - (reads the configuration from standard input)\n"
    "       cairn-server -v | --version\n"
    "       cairn-server -h | --help\n"
    "\n"
    "FILE is a redis.conf; names are its directives. Examples:\n"
    "       cairn-server (with the default configuration: port 6379, data in ./data)\n"
    "       cairn-server /etc/cairn.conf --loglevel verbose\n"
    "       cairn-server --port 7777 --dir /var/lib/cairn --appendfsync everysec\n";

// SIGTERM and SIGINT are read by the main thread; every other thread inherits that they are blocked.
int BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a write beyond RLIMIT_FSIZE then fails as any other can, which the log survives
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

// What is thrown and caught nowhere is what std::thread throws where the system has no more to give.
[[noreturn]] void EndOnUncaught() {
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::system_error&) {
    cairn::Log(LogLevel::kWarning, cairn::kNoThreadText);
    _exit(1);
  } catch (...) {
    cairn::Log(LogLevel::kWarning, "An exception was not caught: this is a bug");
  }
  std::abort();
}

// A standard stream that the parent closed would be the number of the next file that is opened, and what is printed would go into that.
void OpenStandardStreams() {
  int fd = STDIN_FILENO;
  while (fd <= STDERR_FILENO && (fcntl(fd, F_GETFD) >= 0 || open("/dev/null", O_RDWR) == fd)) fd++;
}

bool Daemonize() {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child > 0) _exit(0);
  setsid();
  const int null = open("/dev/null", O_RDWR);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO) close(null);
  }
  return true;
}

// Says it in the log and, where that is a file, on standard error too: whoever starts the server by hand sees why it did not.
int Fail(const cairn::Status& status, bool to_stderr) {
  LogF(LogLevel::kWarning, "%.*s", static_cast<int>(status.message().size()), status.message().data());
  if (to_stderr) std::fprintf(stderr, "%.*s\n", static_cast<int>(status.message().size()), status.message().data());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  OpenStandardStreams();
  const std::vector<std::string> args(argv + 1, argv + argc);
  cairn::InitProcessTitle(argc, argv);
  if (args.size() == 1 && (args[0] == "-v" || args[0] == "--version")) {
    std::printf("Cairn server v=%s redis=%s malloc=%s bits=64\n", cairn::kCairnVersion.data(), cairn::kRedisVersion.data(),
                cairn::AllocatorName());
    return 0;
  }
  if (args.size() == 1 && (args[0] == "-h" || args[0] == "--help")) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  cairn::AbortOnOutOfMemory();
  std::set_terminate(EndOnUncaught);
  auto config = Config::FromCommandLine(args);
  if (!config.ok()) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(config.status().message().size()), config.status().message().data());
    return 1;
  }
  Config& settings = **config;
  cairn::SetLogLevel(static_cast<LogLevel>(settings.Number("loglevel")));
  const std::string log_file = settings.PathInDirectory("logfile");
  const bool daemon = settings.Bool("daemonize");
  if (!log_file.empty())
    mkdir(settings.directory().c_str(), 0755);  // it may be the place of the log file; the store makes sure of it
  if (const cairn::Status status = cairn::SetLogFile(log_file); !status.ok()) {
    std::fprintf(stderr, "Can't open the log file: %.*s\n", static_cast<int>(status.message().size()), status.message().data());
    return 1;
  }
  if (daemon && !Daemonize()) return Fail(cairn::Status::FromErrno(errno, "fork"), true);
  cairn::AllowHugePages(!settings.Bool("disable-thp"));
  cairn::StartAllocatorBackgroundThread();
  cairn::LoadProgramCode();
  const int signal_fd = BlockSignals();

  LogF(LogLevel::kNotice, "Cairn %s is starting (speaks Redis %s), pid=%d", cairn::kCairnVersion.data(),
       cairn::kRedisVersion.data(), static_cast<int>(getpid()));
  if (settings.config_file().empty() && args.empty()) {
    cairn::Log(LogLevel::kWarning, "No configuration file and no options given: using the defaults.");
  }

  int exit_code = 0;
  {
    cairn::Server server(std::move(config).value());
    server.HandleSignals(signal_fd);
    const cairn::Status status = server.Start();
    exit_code = status.ok() ? server.Run() : Fail(status, !log_file.empty() && !daemon);
    // Freeing a keyspace entry by entry would only delay the end.
    std::fflush(nullptr);
    if (__llvm_profile_write_file != nullptr) (void)__llvm_profile_write_file();
    _exit(exit_code);
  }
}
