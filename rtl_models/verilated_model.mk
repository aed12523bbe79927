# After the makefile that Verilator writes: the model as an archive of two files, for the headers of each of its many take
# half a second. What constructs it and what writes waves is most of its code and runs once, or at the end of a failing run:
# not optimized.
once = $(VM_SLOW) $(foreach class,$(VM_FAST),$(if $(findstring __Trace__,$(class)),$(class)))

$(VM_PREFIX).a: $(VM_PREFIX)__often.o $(VM_PREFIX)__once.o
	rm -f $@
	$(AR) -rcs $@ $^
$(VM_PREFIX)__often.o: $(VM_PREFIX)__often.cpp
	$(OBJCACHE) $(CXX) $(CXXFLAGS) $(CPPFLAGS) $(OPT_FAST) -c -o $@ $<
$(VM_PREFIX)__once.o: $(VM_PREFIX)__once.cpp
	$(OBJCACHE) $(CXX) $(CXXFLAGS) $(CPPFLAGS) -O0 -c -o $@ $<
$(VM_PREFIX)__often.cpp: $(addsuffix .cpp,$(filter-out $(once),$(VM_FAST)))
	$(VERILATOR_INCLUDER) $^ > $@
$(VM_PREFIX)__once.cpp: $(addsuffix .cpp,$(once))
	$(VERILATOR_INCLUDER) $^ > $@
