# What the table of registers prints, against what is committed: the package, the C header (which compiles as C99 beside
# it), and the memory map in the README.
set(of_sv rtl_models/accelerator/mx_registers_pkg.sv)
set(of_c emu/accelerator/mxref_registers.h)
set(of_markdown rtl_models/accelerator/README.md)
foreach(what sv c markdown)
  execute_process(COMMAND ${GENERATOR} ${what} OUTPUT_VARIABLE fresh COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${SOURCE_DIR}/${of_${what}} committed)
  string(FIND "${committed}" "${fresh}" at)
  if(at EQUAL -1 OR (NOT what STREQUAL markdown AND NOT committed STREQUAL fresh))
    message(FATAL_ERROR "${of_${what}} is not what mx_registers_generate prints: build/bin/mx_registers_generate ${what}")
  endif()
endforeach()
file(WRITE ${WORK_DIR}/registers.c "#include \"mxref_registers.h\"\nint main(void) { return MXREF_ERROR_NONE; }\n")
execute_process(COMMAND cc -std=c99 -Wall -Wextra -pedantic -Werror -I${SOURCE_DIR}/emu/accelerator
  -fsyntax-only ${WORK_DIR}/registers.c COMMAND_ERROR_IS_FATAL ANY)
