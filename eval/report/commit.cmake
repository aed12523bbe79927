# Writes HEADER with the commit of SOURCE_DIR ("-dirty" where tracked files differ from it, "unknown" outside git); run by
# every build, touches the header only where the commit has changed.
execute_process(
  COMMAND git -c safe.directory=* -C ${SOURCE_DIR} describe --always --abbrev=40 --dirty --exclude=*
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  set(commit unknown)
endif()
set(text "#pragma once\nnamespace mxref {\ninline constexpr const char* commit = \"${commit}\";\n}\n")
set(old "")
if(EXISTS ${HEADER})
  file(READ ${HEADER} old)
endif()
if(NOT text STREQUAL old)
  file(WRITE ${HEADER} "${text}")
endif()
