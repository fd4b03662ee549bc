# libcairn: base to engine in one static library, its headers, and a package for find_package(cairn).

set(cairn_parts base wal snapshot engine_values engine_codec engine_keyspace engine_commands engine)
set(cairn_objects "")
foreach(part IN LISTS cairn_parts)
  list(APPEND cairn_objects $<TARGET_OBJECTS:${part}>)
endforeach()
add_library(cairn STATIC ${cairn_objects})
set_target_properties(cairn PROPERTIES LINKER_LANGUAGE CXX)
add_library(cairn::cairn ALIAS cairn)
target_include_directories(cairn INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(cairn INTERFACE
  cairn_lz4 cairn_xxhash cairn_jemalloc protobuf::libprotobuf OpenSSL::Crypto Threads::Threads)

install(TARGETS cairn ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(folder base wal snapshot engine)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cairn FILES_MATCHING PATTERN "*.h")
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/generated/snapshot
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cairn OPTIONAL FILES_MATCHING PATTERN "*.h")

get_property(cairn_programs GLOBAL PROPERTY CAIRN_PROGRAMS)
if(cairn_programs)
  install(TARGETS ${cairn_programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

include(CMakePackageConfigHelpers)
set(cairn_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cairn)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/cairnConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cairnConfig.cmake INSTALL_DESTINATION ${cairn_package_dir}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cairnConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cairnConfig.cmake ${PROJECT_BINARY_DIR}/cairnConfigVersion.cmake
        DESTINATION ${cairn_package_dir})
