// What a byte address of the accelerator means: region, buffer, and where in it (the layout:
// README.md). Combinational; whoever decodes an address asks it.
module mx_address #(
  parameter int ROWS  = 2,
  parameter int COLS  = 2,
  parameter int LANES = 32,
  parameter int DEPTH = 4
) (
  input  logic [mx_registers_pkg::AddressBits-1:0] addr_i,
  output logic                                     is_mapped_o,
  output logic [mx_registers_pkg::RegionBits-1:0]  region_o,
  output logic                                     buffer_o,
  output logic [mx_registers_pkg::MajorBits-1:0]   major_o,  // block, or row of C and D
  output logic [mx_registers_pkg::MinorBits-1:0]   minor_o,  // row or column
  output logic [mx_registers_pkg::WordBits-1:0]    word_o    // of the codes of a row in a block
);
  localparam int WB = mx_registers_pkg::WordBits;
  localparam int NB = mx_registers_pkg::MinorBits;
  localparam int MB = mx_registers_pkg::MajorBits;
  localparam int INDEX = mx_registers_pkg::BufferShift - 2;  // bits of a word in a buffer

  logic [INDEX-1:0] index;
  logic             is_element, for_a, in_a, in_b, in_depth, in_rows, in_lanes;
  assign region_o   = addr_i[mx_registers_pkg::AddressBits-1:mx_registers_pkg::RegionShift];
  assign buffer_o   = addr_i[mx_registers_pkg::BufferShift];
  assign index      = addr_i[mx_registers_pkg::BufferShift-1:2];
  assign for_a      = region_o == mx_registers_pkg::RegionACodes ||
                      region_o == mx_registers_pkg::RegionAScales;

  // Fields by region.
  logic is_register, is_codes, is_scales;
  assign is_register = region_o == mx_registers_pkg::RegionRegisters;
  assign is_codes    = region_o == mx_registers_pkg::RegionACodes ||
                       region_o == mx_registers_pkg::RegionBCodes;
  assign is_scales   = region_o == mx_registers_pkg::RegionAScales ||
                       region_o == mx_registers_pkg::RegionBScales;
  assign is_element  = region_o == mx_registers_pkg::RegionC ||
                       region_o == mx_registers_pkg::RegionD;
  assign word_o  = is_codes ? index[WB-1:0] : '0;
  assign minor_o = is_codes ? index[WB+NB-1:WB] : index[NB-1:0];
  assign major_o = is_codes ? index[INDEX-1:WB+NB]
                 : is_scales ? index[NB+MB-1:NB] : {{(MB-NB){1'b0}}, index[2*NB-1:NB]};

  // Compared as integers: a limit may need a bit more than a field.
  assign in_a     = {{(32-NB){1'b0}}, minor_o} < ROWS;
  assign in_b     = {{(32-NB){1'b0}}, minor_o} < COLS;
  assign in_depth = {{(32-MB){1'b0}}, major_o} < DEPTH;
  assign in_rows  = {{(32-MB){1'b0}}, major_o} < ROWS;
  assign in_lanes = {{(32-WB){1'b0}}, word_o} < LANES / 4;
  always_comb begin
    is_mapped_o = 1'b0;
    if (is_register)
      is_mapped_o = addr_i[mx_registers_pkg::RegionShift-1:7] == '0 &&
                    mx_registers_pkg::RegisterMapped[addr_i[6:2]];
    else if (is_codes) is_mapped_o = in_depth && in_lanes && (for_a ? in_a : in_b);
    else if (is_scales)
      is_mapped_o = index[INDEX-1:NB+MB] == '0 && in_depth && (for_a ? in_a : in_b);
    else if (is_element) is_mapped_o = index[INDEX-1:2*NB] == '0 && in_rows && in_b;
    if (addr_i[1:0] != 2'b00) is_mapped_o = 1'b0;
  end
endmodule
