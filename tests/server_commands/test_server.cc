// The server and client for tests that the network side's tests use too; each test folder is a program of its own.
#include "tests/server_net/test_server.cc"  // NOLINT(bugprone-suspicious-include)
