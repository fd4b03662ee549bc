# Cache variables and the flags that every target of the project is compiled with.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or Sanitize" FORCE)
endif()
set(CAIRN_SANITIZE "" CACHE STRING "Value of -fsanitize= (address,undefined or thread), or empty")
option(CAIRN_FUZZ_COVERAGE "Instrument every library with coverage feedback for libFuzzer" OFF)
option(CAIRN_BUILD_TESTS "Build tests" ON)
option(CAIRN_BUILD_BENCH "Build benchmarks" ON)
option(CAIRN_PRECOMPILE_HEADERS "Precompile the common standard headers" ON)

set(cairn_default_march "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(cairn_default_march x86-64-v2)
endif()
set(CAIRN_MARCH "${cairn_default_march}" CACHE STRING "Value of -march=; empty for the compiler's default")

set(cairn_jemalloc_default ON)
if(CAIRN_SANITIZE)
  set(cairn_jemalloc_default OFF)  # the sanitizers bring their own allocator
endif()
option(CAIRN_JEMALLOC "Link jemalloc statically into the executables" ${cairn_jemalloc_default})

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")

find_program(CAIRN_CCACHE ccache)
if(CAIRN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without the sloppiness ccache refuses every file that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
                                  ${CAIRN_CCACHE})
endif()

find_program(CAIRN_LLD NAMES ld.lld)
if(CAIRN_LLD)
  add_link_options(-fuse-ld=lld)
endif()

if(CAIRN_MARCH)
  add_compile_options(-march=${CAIRN_MARCH})
endif()
if(CAIRN_SANITIZE)
  add_compile_options(-fsanitize=${CAIRN_SANITIZE})
  add_link_options(-fsanitize=${CAIRN_SANITIZE})
  if(CAIRN_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(CAIRN_FUZZ_COVERAGE)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
endif()

# Warnings are for our code only, so they are attached by cairn_apply_flags and not to the whole directory tree.
set(CAIRN_WARNINGS -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  list(APPEND CAIRN_WARNINGS -Wthread-safety -Werror)
  # ccache needs precompiled headers that do not embed a time.
  add_compile_options("SHELL:$<$<COMPILE_LANGUAGE:CXX>:-Xclang -fno-pch-timestamp>")
endif()
