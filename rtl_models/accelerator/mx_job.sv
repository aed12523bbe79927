// The sequencer: checks what a start asks for, then reads the blocks of the job from the tile
// memory and hands them to the array, one a cycle where the array takes them. Accumulators stay in
// the array, so a reduction of any length is a chain of jobs: first opens the tile, last ends it.
module mx_job #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int DATAPATH = mx_pkg::Fused,
  parameter int DEPTH = 4,
  localparam int BlockBits = mx_width_pkg::bits_of_index(DEPTH),
  localparam int LaneBits  = mx_width_pkg::lane_count_bits(A_FORMATS)
) (
  input  logic       clk_i,
  input  logic       rst_ni,
  input  logic       start_i,  // with what the job registers hold; refused where error_o says so
  input  logic       abort_i,
  input  logic       first_i,
  input  logic       last_i,
  input  logic       preload_i,
  input  logic       buffer_i,
  input  logic       result_buffer_i,
  input  logic       stream_i,
  input  logic [3:0] format_a_i,
  input  logic [3:0] format_b_i,
  input  logic [1:0] out_type_i,
  input  logic [7:0] blocks_i,
  input  logic [7:0] last_elements_i,
  output logic [mx_registers_pkg::ErrorBits-1:0] error_o,  // of start_i; 0 is none
  output logic       busy_o,
  output logic       open_o,
  output logic       done_o,    // for one cycle
  output logic       in_use_o,  // blocks of the buffer have still to be read
  output logic       buffer_o,
  output logic       result_buffer_o,
  output logic       stream_o,
  output logic                 fetch_o,
  output logic [BlockBits-1:0] fetch_block_o,
  // The beat that stands in the memory's output register.
  output logic                          beat_valid_o,
  input  logic                          beat_ready_i,
  output logic                          beat_first_o,
  output logic                          beat_last_o,
  output logic                          beat_preload_o,
  output logic [LaneBits-1:0]           beat_lanes_o,
  output logic [mx_pkg::FormatBits-1:0] format_a_o,
  output logic [mx_pkg::FormatBits-1:0] format_b_o,
  output logic [1:0]                    out_type_o,
  input  logic                          tile_done_i,  // the tile's last row leaves the array
  input  logic [mx_registers_pkg::FaultBits-1:0] fault_i
);
  // Tables by format number, a power of two long, so that any number may be looked up.
  localparam logic [15:0]  A_SET   = 16'(A_FORMATS);
  localparam logic [15:0]  B_SET   = 16'(B_FORMATS);
  localparam logic [127:0] LENGTHS = 128'(mx_pkg::BlockLength);
  localparam logic [127:0] UE4M3   = 128'(mx_pkg::Ue4m3Scale);

  logic       busy_q, open_q, first_q, last_q, preload_q, buffer_q, result_buffer_q, stream_q;
  logic [3:0] format_a_q, format_b_q;
  logic [1:0] out_type_q;
  logic [7:0] blocks_left_q, last_elements_q, length_q;  // blocks that were not read
  logic [BlockBits-1:0] block_q;
  logic                 beat_valid_q, beat_first_q, beat_last_q;
  logic [LaneBits-1:0]  beat_lanes_q;
  logic                 starts;

  // --- blocks of the tile: the sum of `exact` has room for so many
  logic too_long;
  if (DATAPATH == mx_pkg::Exact) begin : gen_limit
    localparam int CountBits = mx_width_pkg::ExactGrowth + 2;
    logic [CountBits-1:0] tile_blocks, tile_blocks_q;
    assign tile_blocks = (first_i ? '0 : tile_blocks_q) + CountBits'(blocks_i);
    assign too_long    = tile_blocks > CountBits'(2**mx_width_pkg::ExactGrowth);
    always_ff @(posedge clk_i) begin
      if (starts) tile_blocks_q <= tile_blocks;
    end
  end else begin : gen_no_limit
    assign too_long = 1'b0;
  end

  // --- what is wrong with a start, the first thing
  logic [7:0] length;
  assign length = LENGTHS[{format_a_i, 3'b000} +: 8];
  always_comb begin
    error_o = mx_registers_pkg::ErrorNone;
    if (busy_q) error_o = mx_registers_pkg::ErrorStartWhileBusy;
    else if ({28'b0, format_a_i} >= mx_pkg::NumFormats || {28'b0, format_b_i} >= mx_pkg::NumFormats)
      error_o = mx_registers_pkg::ErrorUnknownFormat;
    else if (!A_SET[format_a_i] || !B_SET[format_b_i])
      error_o = mx_registers_pkg::ErrorFormatNotBuilt;
    else if (UE4M3[{format_a_i, 3'b000}] != UE4M3[{format_b_i, 3'b000}] &&
             fault_i != mx_registers_pkg::FaultFormatsMeetUnchecked)
      error_o = mx_registers_pkg::ErrorFormatsDoNotMeet;
    else if (out_type_i == 2'd3) error_o = mx_registers_pkg::ErrorUnknownOutType;
    else if (blocks_i == '0) error_o = mx_registers_pkg::ErrorNoBlocks;
    else if ({24'b0, blocks_i} > DEPTH) error_o = mx_registers_pkg::ErrorTooManyBlocks;
    else if (last_elements_i == '0 || last_elements_i > length)
      error_o = mx_registers_pkg::ErrorBadLastElements;
    else if (last_elements_i != length && !last_i)
      error_o = mx_registers_pkg::ErrorShortBlockInside;
    else if (first_i && open_q) error_o = mx_registers_pkg::ErrorTileAlreadyOpen;
    else if (!first_i && !open_q) error_o = mx_registers_pkg::ErrorNoTileOpen;
    else if (!first_i && preload_i) error_o = mx_registers_pkg::ErrorPreloadWithoutFirst;
    else if (!first_i && (format_a_i != format_a_q || format_b_i != format_b_q ||
                          out_type_i != out_type_q))
      error_o = mx_registers_pkg::ErrorFormatsChanged;
    else if (too_long) error_o = mx_registers_pkg::ErrorTileTooLong;
  end

  // --- blocks: one stands in the memory's output register, the next is read as it leaves
  logic beat_taken, beats_done;
  assign starts     = start_i && error_o == mx_registers_pkg::ErrorNone;
  assign beat_taken = beat_valid_q && beat_ready_i;
  assign fetch_o    = busy_q && blocks_left_q != '0 && (!beat_valid_q || beat_ready_i);
  assign beats_done = busy_q && blocks_left_q == '0 && beat_taken;
  assign done_o     = !abort_i &&
                      (last_q && fault_i != mx_registers_pkg::FaultDoneTooEarly
                           ? busy_q && tile_done_i : beats_done);

  logic [7:0] lanes;
  assign lanes = blocks_left_q == 8'd1 && fault_i != mx_registers_pkg::FaultLastElementsIgnored
               ? last_elements_q : length_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || abort_i) begin
      busy_q       <= 1'b0;
      open_q       <= 1'b0;
      beat_valid_q <= 1'b0;
    end else begin
      if (starts) busy_q <= 1'b1;
      else if (done_o) busy_q <= 1'b0;
      if (starts) open_q <= 1'b1;
      else if (done_o && last_q) open_q <= 1'b0;
      if (fetch_o) beat_valid_q <= 1'b1;
      else if (beat_taken) beat_valid_q <= 1'b0;
    end
    if (starts) begin
      first_q         <= first_i;
      last_q          <= last_i;
      preload_q       <= preload_i && fault_i != mx_registers_pkg::FaultPreloadIgnored;
      buffer_q        <= buffer_i && fault_i != mx_registers_pkg::FaultBufferIgnored;
      result_buffer_q <= result_buffer_i && fault_i != mx_registers_pkg::FaultResultBufferIgnored;
      stream_q        <= stream_i;
      format_a_q      <= format_a_i;
      format_b_q      <= format_b_i;
      out_type_q      <= out_type_i;
      length_q        <= length;
      last_elements_q <= last_elements_i;
      blocks_left_q   <= blocks_i;
      block_q         <= '0;
    end else if (fetch_o) begin
      blocks_left_q <= blocks_left_q - 1'b1;
      block_q       <= block_q + 1'b1;
      beat_first_q  <= first_q && block_q == '0;
      beat_last_q   <= last_q && blocks_left_q == 8'd1;
      beat_lanes_q  <= lanes[LaneBits-1:0];
    end
  end

  assign busy_o          = busy_q;
  assign open_o          = open_q;
  assign in_use_o        = busy_q && blocks_left_q != '0;
  assign buffer_o        = buffer_q;
  assign result_buffer_o = result_buffer_q;
  assign stream_o        = stream_q;
  assign fetch_block_o   = block_q;
  assign beat_valid_o    = beat_valid_q;
  assign beat_first_o    = beat_first_q;
  assign beat_last_o     = beat_last_q;
  assign beat_preload_o  = preload_q;
  assign beat_lanes_o    = beat_lanes_q;
  assign format_a_o      = format_a_q[mx_pkg::FormatBits-1:0];
  assign format_b_o      = format_b_q[mx_pkg::FormatBits-1:0];
  assign out_type_o      = out_type_q;

  logic unused_bits;  // lanes fit LaneBits; a bit of each format's number is 0 in a job
  assign unused_bits = ^{lanes, format_a_q, format_b_q, UE4M3};
endmodule
