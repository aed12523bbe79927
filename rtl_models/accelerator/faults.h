#pragma once
// Faults planted in the accelerator around the array, chosen by its `fault_i`: the number of a
// fault is its place in this table, from 1; 0 is none. (Those of the array: rtl_models/rtl.)

#include <array>
#include <string_view>

#include "emu/error.h"

namespace mxref {

struct AcceleratorFault {
  std::string_view name;
  std::string_view what;
};
inline constexpr std::array accelerator_faults{
    AcceleratorFault{"buffer_ignored", "a job always reads the first buffer"},
    AcceleratorFault{"last_elements_ignored", "a short last block is taken whole"},
    AcceleratorFault{"preload_ignored", "accumulators start at +0 always"},
    AcceleratorFault{"done_too_early", "a last job is done when its beats are taken"},
    AcceleratorFault{"formats_meet_unchecked", "nvfp4 may meet other formats"},
    AcceleratorFault{"in_use_ignored", "a host's write to the buffer in use goes through"},
    AcceleratorFault{"error_overwritten", "a later error overwrites the first"},
    AcceleratorFault{"read_only_answers_okay", "a write to a read-only register answers OKAY"},
    AcceleratorFault{"bvalid_withdrawn", "valid of a write's answer falls before ready"},
    AcceleratorFault{"stream_word_lost", "a word of the stream is lost when the host writes too"},
    AcceleratorFault{"tlast_missing", "the last row of results has no TLAST"},
    AcceleratorFault{"result_buffer_ignored", "results always go to the first buffer"},
    AcceleratorFault{"interrupt_unmasked", "an error interrupts though it is not enabled"},
    AcceleratorFault{"abort_keeps_array", "abort leaves in the array what is there"},
    AcceleratorFault{"beat_uncounted", "a tile's last block is not counted"},
    AcceleratorFault{"cut_packet_stays_open", "an abort does not end the packet that it cuts off"},
};
static_assert(names_are_distinct(accelerator_faults));

}  // namespace mxref
