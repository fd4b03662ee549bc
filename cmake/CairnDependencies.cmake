# Libraries from the system. Every one is offered as a target with a name of ours, so that the rest never sees how it was found.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Protobuf REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CAIRN_LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(CAIRN_XXHASH REQUIRED IMPORTED_TARGET libxxhash)

add_library(cairn_lz4 INTERFACE)
target_link_libraries(cairn_lz4 INTERFACE PkgConfig::CAIRN_LZ4)
add_library(cairn_xxhash INTERFACE)
target_link_libraries(cairn_xxhash INTERFACE PkgConfig::CAIRN_XXHASH)

# Of the tools: their flags and their JSON.
find_package(gflags REQUIRED)
add_library(cairn_gflags INTERFACE)
target_link_libraries(cairn_gflags INTERFACE gflags)
find_package(nlohmann_json REQUIRED)
add_library(cairn_json INTERFACE)
target_link_libraries(cairn_json INTERFACE nlohmann_json::nlohmann_json)

add_library(cairn_jemalloc INTERFACE)
if(CAIRN_JEMALLOC)
  find_path(CAIRN_JEMALLOC_INCLUDE_DIR jemalloc/jemalloc.h)
  find_library(CAIRN_JEMALLOC_LIBRARY NAMES libjemalloc_pic.a libjemalloc.a)
  if(NOT CAIRN_JEMALLOC_INCLUDE_DIR OR NOT CAIRN_JEMALLOC_LIBRARY)
    message(FATAL_ERROR "libjemalloc.a not found: install libjemalloc-dev or configure with -DCAIRN_JEMALLOC=OFF")
  endif()
  target_include_directories(cairn_jemalloc SYSTEM INTERFACE ${CAIRN_JEMALLOC_INCLUDE_DIR})
  target_compile_definitions(cairn_jemalloc INTERFACE CAIRN_JEMALLOC=1)
  target_link_libraries(cairn_jemalloc INTERFACE ${CAIRN_JEMALLOC_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS} m)
endif()

if(CAIRN_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
