// The store inside a program, without a server: open a directory, write, read, snapshot, open it again.
#include <cstdio>
#include <string>

#include "engine/store.h"

int main(int argc, char** argv) {
  cairn::StoreOptions options;
  options.directory = argc > 1 ? argv[1] : "example-data";

  auto opened = cairn::Store::Open(options);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
    return 1;
  }
  std::unique_ptr<cairn::Store> store = std::move(opened).value();
  cairn::Client client;  // one per thread that issues commands: its database, its transaction

  // Returns when the write is on disk (appendfsync always is the default).
  store->Run(client, {"SET", "greeting", "hello"});
  // Returns at once; WaitDurable() later covers many such writes with one sync.
  for (int i = 0; i < 1000; i++) {
    store->Run(client, {"INCR", "visits"}, cairn::Store::Durability::kDoNotAwait);
  }
  if (!store->WaitDurable(store->end_lsn()).ok()) return 1;

  cairn::ReplyValue greeting = store->Run(client, {"GET", "greeting"});
  std::printf("%s, %s visits\n", greeting.text.c_str(), store->Run(client, {"GET", "visits"}).text.c_str());

  store->ForEachKey(
      0, [](std::string_view key, const cairn::Entry&) { std::printf("key %.*s\n", static_cast<int>(key.size()), key.data()); });

  if (!store->SaveAndWait().ok()) return 1;  // a snapshot; the log before it is dropped
  return store->Close(false).ok() ? 0 : 1;
}
