# After the makefile that Verilator writes: the model as an archive, of few files, for the headers of each take half a
# second. What constructs it and what writes waves is most of its code and runs once, or at the end of a failing run: one
# file, not optimized.
once = $(VM_SLOW) $(foreach class,$(VM_FAST),$(if $(findstring __Trace__,$(class)),$(class)))

$(VM_PREFIX).a: $(addsuffix .o,$(filter-out $(once),$(VM_FAST))) $(VM_PREFIX)__once.o
	rm -f $@
	$(AR) -rcs $@ $^
$(VM_PREFIX)__once.o: $(VM_PREFIX)__once.cpp
	$(OBJCACHE) $(CXX) $(CXXFLAGS) $(CPPFLAGS) -O0 -c -o $@ $<
$(VM_PREFIX)__once.cpp: $(addsuffix .cpp,$(once))
	$(VERILATOR_INCLUDER) -DVL_INCLUDE_OPT=include $^ > $@
