// Building INFO's text, and what its sections are made of.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/numbers.h"
#include "engine/store_options.h"

namespace cairn {

class Server;

class InfoWriter {
 public:
  void Section(std::string_view title) {
    if (!text_.empty()) text_ += "\r\n";
    text_ += "# ";
    text_ += title;
    text_ += "\r\n";
  }
  void Add(std::string_view name, std::string_view value) {
    text_ += name;
    text_ += ':';
    text_ += value;
    text_ += "\r\n";
  }
  void Add(std::string_view name, const char* value) { Add(name, std::string_view(value)); }
  template <typename Number>
  requires std::is_integral_v<Number>
  void Add(std::string_view name, Number value) { Add(name, std::string_view(std::to_string(value))); }
  // With two digits behind the point, and a suffix.
  void AddFixed(std::string_view name, double value, std::string_view suffix = {}) {
    char digits[64];
    std::snprintf(digits, sizeof(digits), "%.2f", value);
    Add(name, std::string_view(digits + std::string(suffix)));
  }
  void AddBytes(std::string_view name, uint64_t bytes) {  // and NAME_human
    Add(name, bytes);
    Add(std::string(name) + "_human", std::string_view(FormatBytesHuman(bytes)));
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// What a section may look at; `store` holds zeros while loading.
struct InfoSource {
  Server& server;
  bool loading;
  StoreInfo store;
  int64_t now_unix_s;
};

// server/commands/info_sections.cc
void WriteServerSection(const InfoSource& source, InfoWriter& out);
void WriteClientsSection(const InfoSource& source, InfoWriter& out);
void WriteMemorySection(const InfoSource& source, InfoWriter& out);
void WritePersistenceSection(const InfoSource& source, InfoWriter& out);
// server/commands/info_counters.cc
void WriteStatsSection(const InfoSource& source, InfoWriter& out);
void WriteReplicationSection(const InfoSource& source, InfoWriter& out);
void WriteCpuSection(const InfoSource& source, InfoWriter& out);
void WriteModulesSection(const InfoSource& source, InfoWriter& out);
void WriteCommandStatsSection(const InfoSource& source, InfoWriter& out);
void WriteErrorStatsSection(const InfoSource& source, InfoWriter& out);
void WriteLatencyStatsSection(const InfoSource& source, InfoWriter& out);
void WriteClusterSection(const InfoSource& source, InfoWriter& out);
void WriteKeyspaceSection(const InfoSource& source, InfoWriter& out);

}  // namespace cairn
