# What the compiler is told of how the server is used.
#
# cairn.profdata, beside this file, counts how often each function and branch runs in the training of bench/train_profile.py. With it clang
# inlines and lays out what a request passes through, and leaves alone what the profile does not know: code that changed since is compiled
# as it would be without. `./dev profile` makes it anew; it is worth that after a change to the way of a request, not after each.
#
#   CAIRN_PROFILE   use (release builds with clang: the default), generate (for the training) or off

set(cairn_profile_file ${CMAKE_CURRENT_LIST_DIR}/cairn.profdata)
set(cairn_profile_default off)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CAIRN_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-fprofile-use=${cairn_profile_file} CAIRN_READS_PROFILE)  # a much older clang does not know its format
  if(CAIRN_READS_PROFILE)
    set(cairn_profile_default use)
  endif()
endif()
set(CAIRN_PROFILE ${cairn_profile_default} CACHE STRING "use, generate or off")

# Functions of one file are known by the file's name, wherever the sources lie.
set(cairn_profile_names "SHELL:-mllvm -static-func-full-module-prefix=false")
if(CAIRN_PROFILE STREQUAL "use")
  # By a name that changes with it: what was compiled with another one is compiled again.
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${cairn_profile_file})
  file(SHA256 ${cairn_profile_file} cairn_profile_hash)
  string(SUBSTRING ${cairn_profile_hash} 0 12 cairn_profile_hash)
  set(cairn_profile_copy ${PROJECT_BINARY_DIR}/generated/cairn-${cairn_profile_hash}.profdata)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/generated)
  file(COPY_FILE ${cairn_profile_file} ${cairn_profile_copy} ONLY_IF_DIFFERENT)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fprofile-use=${cairn_profile_copy}>"
                      "$<$<COMPILE_LANGUAGE:CXX>:${cairn_profile_names}>"
                      -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date -Wno-backend-plugin)
elseif(CAIRN_PROFILE STREQUAL "generate")
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fprofile-generate>" "$<$<COMPILE_LANGUAGE:CXX>:${cairn_profile_names}>")
  add_link_options(-fprofile-generate)
endif()

# cairn_hot_path(PROGRAM FOLDER names... [FOLDER names...]): compiles these sources, which are in the libraries too, once more into the program,
# to be inlined into each other at its link (ThinLTO). Tests and other programs link the libraries, and none of them waits for that. Only with
# a profile: without one it makes no difference.
function(cairn_hot_path program)
  if(NOT CAIRN_PROFILE STREQUAL "use" OR NOT CAIRN_LLD)
    return()
  endif()
  set(sources "")
  foreach(word IN LISTS ARGN)
    if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${word})
      set(folder ${PROJECT_SOURCE_DIR}/${word})
    else()
      list(APPEND sources ${folder}/${word}.cc)
    endif()
  endforeach()
  add_library(${program}_hot_path OBJECT ${sources})
  target_include_directories(${program}_hot_path PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${program}_hot_path PRIVATE $<TARGET_PROPERTY:${program},LINK_LIBRARIES>)
  cairn_apply_flags(${program}_hot_path)
  target_compile_options(${program}_hot_path PRIVATE -flto=thin)
  set_target_properties(${program}_hot_path PROPERTIES EXPORT_COMPILE_COMMANDS OFF)  # one entry for each file is enough
  target_sources(${program} PRIVATE $<TARGET_OBJECTS:${program}_hot_path>)
  target_link_options(${program} PRIVATE -flto=thin -Wl,--thinlto-cache-dir=${PROJECT_BINARY_DIR}/thinlto-cache
                                         -Wl,--thinlto-cache-policy=cache_size_bytes=200m)
endfunction()
