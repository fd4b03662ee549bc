# cairn_library(NAME SOURCES globs... LINK libraries... [EXCLUDE regex...]): a static library of every .cc the globs find.
# A library without sources yet is built from one empty file, so that its users configure all the same.
# cairn_executable(NAME SOURCES files... LINK libraries...): a program in <build>/bin.

file(WRITE ${PROJECT_BINARY_DIR}/generated/empty.cc.tmp "// A library that has no sources yet.\n")
configure_file(${PROJECT_BINARY_DIR}/generated/empty.cc.tmp ${PROJECT_BINARY_DIR}/generated/empty.cc COPYONLY)
set(CAIRN_EMPTY_SOURCE ${PROJECT_BINARY_DIR}/generated/empty.cc)

function(cairn_apply_flags name)
  target_compile_options(${name} PRIVATE ${CAIRN_WARNINGS})
  if(CAIRN_PRECOMPILE_HEADERS AND TARGET cairn_precompiled)
    target_precompile_headers(${name} REUSE_FROM cairn_precompiled)
  endif()
endfunction()

if(CAIRN_PRECOMPILE_HEADERS)
  add_library(cairn_precompiled OBJECT ${CAIRN_EMPTY_SOURCE})
  target_compile_options(cairn_precompiled PRIVATE ${CAIRN_WARNINGS})
  target_precompile_headers(cairn_precompiled PRIVATE
    <algorithm> <array> <atomic> <bit> <chrono> <condition_variable> <cstdint> <cstdio> <cstdlib> <cstring> <deque>
    <functional> <limits> <map> <memory> <mutex> <optional> <span> <string> <string_view> <thread> <tuple>
    <unordered_map> <unordered_set> <utility> <variant> <vector>)
endif()

function(cairn_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${ARG_SOURCES})
  foreach(pattern IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${pattern}")
  endforeach()
  if(NOT sources)
    set(sources ${CAIRN_EMPTY_SOURCE})
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  cairn_apply_flags(${name})
  set_property(GLOBAL APPEND PROPERTY CAIRN_LIBRARIES ${name})
endfunction()

function(cairn_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  cairn_apply_flags(${name})
endfunction()
