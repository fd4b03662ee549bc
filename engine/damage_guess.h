// What damaged bytes seem to have held: keys, commands, a database. Nothing confirms them, so this is for messages only.
//
// Reads any bytes; any thread.
#pragma once

#include <string>
#include <string_view>

namespace cairn {

// Of a stretch of a log's segment, frame headers included: "SELECT 2, SET user:1, HSET user:2 and more". Empty where nothing is readable.
std::string GuessLogContent(std::string_view bytes);
// Of a snapshot block's raw bytes: "database 0: user:1, user:2 and more".
std::string GuessEntries(std::string_view bytes);
// Bytes as they may stand in a message: printable ones as they are, others as \xNN, cut after some.
std::string Printable(std::string_view bytes);

}  // namespace cairn
