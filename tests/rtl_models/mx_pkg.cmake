# The committed package against a fresh one.
execute_process(COMMAND ${GENERATOR} OUTPUT_FILE ${FRESH} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${FRESH} ${COMMITTED} RESULT_VARIABLE differs)
if(differs)
  message(FATAL_ERROR "${COMMITTED} is not what mx_pkg_generate prints: build/bin/mx_pkg_generate > rtl_models/rtl/mx_pkg.sv")
endif()
