# Verilog in the build: Verilator writes C++, clang++ compiles it (three times as fast as g++'s code, TOOLCHAIN §1),
# and the archive is linked like any other. The runtime is compiled once for all models.
find_program(VERILATOR verilator REQUIRED)
find_program(MXREF_CLANGXX NAMES clang++ clang++-14 clang++-19 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
execute_process(COMMAND ${VERILATOR} --getenv VERILATOR_ROOT OUTPUT_VARIABLE verilator_root
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(verilator_include ${verilator_root}/include)

add_library(mxref_verilated_runtime STATIC
  ${verilator_include}/verilated.cpp
  ${verilator_include}/verilated_cov.cpp
  ${verilator_include}/verilated_dpi.cpp
  ${verilator_include}/verilated_fst_c.cpp
  ${verilator_include}/verilated_threads.cpp)
target_include_directories(mxref_verilated_runtime SYSTEM PUBLIC
  ${verilator_include} ${verilator_include}/vltstd)
set_target_properties(mxref_verilated_runtime PROPERTIES UNITY_BUILD OFF)  # linked file by file
target_compile_options(mxref_verilated_runtime PRIVATE -w -O2)
target_link_libraries(mxref_verilated_runtime PUBLIC Threads::Threads ZLIB::ZLIB)

# The files of a design, from a list in which they stand in the order in which they are read: the file list of any tool.
function(mxref_file_list variable list what)
  cmake_path(GET list PARENT_PATH dir)
  file(STRINGS ${list} files)
  list(TRANSFORM files PREPEND ${dir}/)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  set(${variable} ${files} CACHE INTERNAL ${what})
endfunction()

# A Verilated model as a library: mxref_verilate(TARGET PREFIX P TOP module OPTIMIZE -O3 SOURCES a.sv … ARGS -GROWS=2 …)
# gives P.h. Only files that include P.h see Verilator. COVERAGE: line, toggle and functional coverage, of signals of any
# width (Verilator's default leaves out those of more than 256 bits). FUNCTIONAL: functional coverage alone.
function(mxref_verilate target)
  cmake_parse_arguments(arg "COVERAGE;FUNCTIONAL" "PREFIX;TOP;OPTIMIZE" "SOURCES;ARGS" ${ARGN})
  if(arg_COVERAGE)
    list(PREPEND arg_SOURCES ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/rtl/verilator_coverage.vlt)
    list(APPEND arg_ARGS --coverage --coverage-max-width 1000000)
  elseif(arg_FUNCTIONAL)
    list(APPEND arg_ARGS --coverage-user)
  endif()
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${target})
  set(archive ${dir}/${arg_PREFIX}.a)
  set(make_model ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/verilated_model.mk)
  add_custom_command(OUTPUT ${archive} BYPRODUCTS ${dir}/${arg_PREFIX}.h
    COMMAND ${VERILATOR} --cc -Wall -O3 --x-assign fast --x-initial fast --prefix ${arg_PREFIX}
            --top-module ${arg_TOP} --Mdir ${dir} ${arg_ARGS} ${arg_SOURCES}
    COMMAND ${CMAKE_COMMAND} -E env OBJCACHE=${CCACHE} MAKEFLAGS=
            make -s -j2 -C ${dir} -f ${arg_PREFIX}.mk -f ${make_model} CXX=${MXREF_CLANGXX} OPT_FAST=${arg_OPTIMIZE}
            "USER_CPPFLAGS=-fPIC -Wno-parentheses-equality" ${arg_PREFIX}.a
    COMMAND ${CMAKE_COMMAND} -E touch ${archive}  # make leaves it where no C++ changed
    DEPENDS ${arg_SOURCES} ${make_model} COMMENT "Verilating ${target}" VERBATIM)
  add_custom_target(${target}_verilated DEPENDS ${archive})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_verilated)
  target_include_directories(${target} SYSTEM INTERFACE ${dir})
  target_link_libraries(${target} INTERFACE ${archive} mxref_verilated_runtime)
endfunction()
