// AXI4-Stream of operands → writes of the tile memory. The first word of a packet is an address of
// A, B or C, as a host would write it; the words behind it go there and on, in the order word, row
// or column, block (of C: column, row), which leaves out what the shape does not have. A packet
// that is wrong is taken to its end and not written. It waits for a buffer that a job still reads.
module mx_stream_in #(
  parameter int ROWS  = 2,
  parameter int COLS  = 2,
  parameter int LANES = 32,
  parameter int DEPTH = 4
) (
  input  logic                                    clk_i,
  input  logic                                    rst_ni,
  input  logic                                    tvalid_i,
  output logic                                    tready_o,
  input  logic [31:0]                             tdata_i,
  input  logic                                    tlast_i,
  // The buffer that may not be written, and whether the host takes the write port.
  input  logic                                    in_use_i,
  input  logic                                    in_use_buffer_i,
  input  logic                                    host_writes_i,
  output logic                                    write_o,
  output logic [mx_registers_pkg::RegionBits-1:0] region_o,
  output logic                                    buffer_o,
  output logic [mx_registers_pkg::MajorBits-1:0]  major_o,
  output logic [mx_registers_pkg::MinorBits-1:0]  minor_o,
  output logic [mx_registers_pkg::WordBits-1:0]   word_o,
  output logic [31:0]                             data_o,
  output logic                                    packet_o,  // one has ended
  output logic [mx_registers_pkg::ErrorBits-1:0]  error_o,   // for one cycle; 0 is none
  input  logic [mx_registers_pkg::FaultBits-1:0]  fault_i
);
  // The word that was taken last. What becomes of it is decided a cycle later, from registers
  // alone, so that ready is a function of registers.
  logic        beat_valid_q, beat_last_q;
  logic [31:0] beat_data_q;
  // Where the next word of the packet goes.
  logic                                    in_packet_q, skips_q, past_end_q;
  logic [mx_registers_pkg::RegionBits-1:0] region_q;
  logic                                    buffer_q;
  logic [mx_registers_pkg::MajorBits-1:0]  major_q;
  logic [mx_registers_pkg::MinorBits-1:0]  minor_q;
  logic [mx_registers_pkg::WordBits-1:0]   word_q;

  logic                                    is_mapped, is_operand, is_blocked, leaves;
  logic [mx_registers_pkg::RegionBits-1:0] region;
  logic                                    buffer;
  logic [mx_registers_pkg::MajorBits-1:0]  major;
  logic [mx_registers_pkg::MinorBits-1:0]  minor;
  logic [mx_registers_pkg::WordBits-1:0]   word;
  mx_address #(
    .ROWS (ROWS),
    .COLS (COLS),
    .LANES(LANES),
    .DEPTH(DEPTH)
  ) u_address (
    .addr_i     (beat_data_q[mx_registers_pkg::AddressBits-1:0]),
    .is_mapped_o(is_mapped),
    .region_o   (region),
    .buffer_o   (buffer),
    .major_o    (major),
    .minor_o    (minor),
    .word_o     (word)
  );
  assign is_operand = is_mapped && beat_data_q[31:mx_registers_pkg::AddressBits] == '0 &&
                      region != mx_registers_pkg::RegionRegisters &&
                      region != mx_registers_pkg::RegionD;

  logic writes;  // the word is one that goes to the memory
  assign writes     = beat_valid_q && in_packet_q && !skips_q && !past_end_q;
  assign is_blocked = writes &&
                      ((host_writes_i && fault_i != mx_registers_pkg::FaultStreamWordLost) ||
                       (in_use_i && in_use_buffer_i == buffer_q));
  assign leaves     = beat_valid_q && !is_blocked;
  assign tready_o   = !beat_valid_q || leaves;

  assign write_o  = writes && !is_blocked;
  assign region_o = region_q;
  assign buffer_o = buffer_q;
  assign major_o  = major_q;
  assign minor_o  = minor_q;
  assign word_o   = word_q;
  assign data_o   = beat_data_q;
  assign packet_o = leaves && beat_last_q;
  always_comb begin
    error_o = mx_registers_pkg::ErrorNone;
    if (leaves && !in_packet_q && !is_operand) error_o = mx_registers_pkg::ErrorStreamAddress;
    else if (leaves && in_packet_q && !skips_q && past_end_q)
      error_o = mx_registers_pkg::ErrorStreamTooLong;
  end

  // --- the place behind this one
  logic is_codes, is_c, word_ends, minor_ends, major_ends;
  assign is_codes   = region_q == mx_registers_pkg::RegionACodes ||
                      region_q == mx_registers_pkg::RegionBCodes;
  assign is_c       = region_q == mx_registers_pkg::RegionC;
  assign word_ends  = !is_codes || {29'b0, word_q} == LANES / 4 - 1;
  assign minor_ends = word_ends &&
                      {27'b0, minor_q} == (region_q == mx_registers_pkg::RegionACodes ||
                                           region_q == mx_registers_pkg::RegionAScales ? ROWS - 1
                                                                                       : COLS - 1);
  assign major_ends = minor_ends && {26'b0, major_q} == (is_c ? ROWS - 1 : DEPTH - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_valid_q <= 1'b0;
      in_packet_q  <= 1'b0;
      skips_q      <= 1'b0;
      past_end_q   <= 1'b0;
    end else begin
      if (tready_o) beat_valid_q <= tvalid_i;
      if (leaves) begin
        in_packet_q <= !beat_last_q;
        if (!in_packet_q) begin
          skips_q    <= !is_operand;
          past_end_q <= 1'b0;
        end else if (past_end_q) begin
          skips_q <= 1'b1;
        end else if (!skips_q) begin
          past_end_q <= major_ends;
        end
      end
    end
    if (tvalid_i && tready_o) begin
      beat_data_q <= tdata_i;
      beat_last_q <= tlast_i;
    end
    if (leaves && !in_packet_q) begin
      region_q <= region;
      buffer_q <= buffer;
      major_q  <= major;
      minor_q  <= minor;
      word_q   <= word;
    end else if (write_o) begin
      word_q <= word_ends ? '0 : word_q + 1'b1;
      if (word_ends) minor_q <= minor_ends ? '0 : minor_q + 1'b1;
      if (minor_ends) major_q <= major_q + 1'b1;
    end
  end
endmodule
