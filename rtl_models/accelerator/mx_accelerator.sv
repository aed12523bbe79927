// The accelerator: mx_mac_array behind AXI4-Lite registers and a tile memory, with AXI4-Streams for
// operands and results and an interrupt. Registers, memory map, what a job is and every cycle of
// it: README.md. Every output is a function of registers.
module mx_accelerator #(
  parameter int ROWS  = 8,
  parameter int COLS  = 8,
  parameter int DEPTH = 16,  // blocks of a buffer
  // As mx_mac_array's.
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int DATAPATH      = mx_pkg::Fused,
  parameter bit FTZ           = 1'b0,
  parameter int TERMS         = 32,
  parameter int GROUP         = 1,
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz,
  parameter bit FAULTS = 1'b0
) (
  input  logic                                     clk_i,
  input  logic                                     rst_ni,  // synchronous
  // AXI4-Lite: registers and tile memory.
  input  logic                                     s_axi_awvalid_i,
  output logic                                     s_axi_awready_o,
  input  logic [mx_registers_pkg::AddressBits-1:0] s_axi_awaddr_i,
  input  logic [2:0]                               s_axi_awprot_i,  // ignored
  input  logic                                     s_axi_wvalid_i,
  output logic                                     s_axi_wready_o,
  input  logic [31:0]                              s_axi_wdata_i,
  input  logic [3:0]                               s_axi_wstrb_i,
  output logic                                     s_axi_bvalid_o,
  input  logic                                     s_axi_bready_i,
  output logic [1:0]                               s_axi_bresp_o,
  input  logic                                     s_axi_arvalid_i,
  output logic                                     s_axi_arready_o,
  input  logic [mx_registers_pkg::AddressBits-1:0] s_axi_araddr_i,
  input  logic [2:0]                               s_axi_arprot_i,  // ignored
  output logic                                     s_axi_rvalid_o,
  input  logic                                     s_axi_rready_i,
  output logic [31:0]                              s_axi_rdata_o,
  output logic [1:0]                               s_axi_rresp_o,
  // AXI4-Stream: operands in, rows of results out.
  input  logic                                     s_axis_tvalid_i,
  output logic                                     s_axis_tready_o,
  input  logic [31:0]                              s_axis_tdata_i,
  input  logic                                     s_axis_tlast_i,
  output logic                                     m_axis_tvalid_o,
  input  logic                                     m_axis_tready_i,
  output logic [COLS*32-1:0]                       m_axis_tdata_o,
  output logic                                     m_axis_tlast_o,
  output logic                                     m_axis_tuser_o,  // a packet cut off ends, no row
  output logic                                     irq_o,
  // A planted fault's number, 0 = none; without FAULTS ignored.
  input  logic [mx_registers_pkg::FaultBits-1:0]   fault_i
);
  // What the memory map has room for. (Icarus 11 has no $fatal outside of a process.)
  if (ROWS < 1 || ROWS > mx_registers_pkg::MaxRows) begin : g_rows
    initial $fatal(1, "ROWS is %0d: from 1 to %0d", ROWS, mx_registers_pkg::MaxRows);
  end
  if (COLS < 1 || COLS > mx_registers_pkg::MaxCols) begin : g_cols
    initial $fatal(1, "COLS is %0d: from 1 to %0d", COLS, mx_registers_pkg::MaxCols);
  end
  if (DEPTH < 1 || DEPTH > mx_registers_pkg::MaxDepth) begin : g_depth
    initial $fatal(1, "DEPTH is %0d: from 1 to %0d", DEPTH, mx_registers_pkg::MaxDepth);
  end

  localparam int LANES      = mx_width_pkg::block_lanes(A_FORMATS);
  localparam int LANE_BITS  = mx_width_pkg::lane_count_bits(A_FORMATS);
  localparam int ROW_BITS   = mx_width_pkg::bits_of_index(ROWS);
  localparam int BLOCK_BITS = mx_width_pkg::bits_of_index(DEPTH);

  logic [mx_registers_pkg::FaultBits-1:0] fault;
  assign fault = FAULTS ? fault_i : '0;

  // --- the host
  logic                                     write, write_whole, write_is_mapped, write_buffer;
  logic                                     write_memory;
  logic [mx_registers_pkg::AddressBits-1:0] write_addr, read_addr;
  logic [31:0]                              write_data, read_data, register_data, memory_data;
  logic [31:0]                              result_data;
  logic [1:0]                               write_resp, read_resp;
  logic                                     read, read_is_mapped, read_buffer;
  logic [mx_registers_pkg::RegionBits-1:0]  write_region, read_region, read_region_q;
  logic [mx_registers_pkg::MajorBits-1:0]   write_major, read_major;
  logic [mx_registers_pkg::MinorBits-1:0]   write_minor, read_minor;
  logic [mx_registers_pkg::WordBits-1:0]    write_word, read_word;
  mx_axi_lite u_axi (
    .clk_i,
    .rst_ni,
    .awvalid_i    (s_axi_awvalid_i),
    .awready_o    (s_axi_awready_o),
    .awaddr_i     (s_axi_awaddr_i),
    .wvalid_i     (s_axi_wvalid_i),
    .wready_o     (s_axi_wready_o),
    .wdata_i      (s_axi_wdata_i),
    .wstrb_i      (s_axi_wstrb_i),
    .bvalid_o     (s_axi_bvalid_o),
    .bready_i     (s_axi_bready_i),
    .bresp_o      (s_axi_bresp_o),
    .arvalid_i    (s_axi_arvalid_i),
    .arready_o    (s_axi_arready_o),
    .araddr_i     (s_axi_araddr_i),
    .rvalid_o     (s_axi_rvalid_o),
    .rready_i     (s_axi_rready_i),
    .rdata_o      (s_axi_rdata_o),
    .rresp_o      (s_axi_rresp_o),
    .write_o      (write),
    .write_addr_o (write_addr),
    .write_data_o (write_data),
    .write_whole_o(write_whole),
    .write_resp_i (write_resp),
    .read_o       (read),
    .read_addr_o  (read_addr),
    .read_resp_i  (read_resp),
    .read_data_i  (read_data),
    .fault_i      (fault)
  );
  mx_address #(
    .ROWS (ROWS),
    .COLS (COLS),
    .LANES(LANES),
    .DEPTH(DEPTH)
  ) u_write_address (
    .addr_i     (write_addr),
    .is_mapped_o(write_is_mapped),
    .region_o   (write_region),
    .buffer_o   (write_buffer),
    .major_o    (write_major),
    .minor_o    (write_minor),
    .word_o     (write_word)
  );
  mx_address #(
    .ROWS (ROWS),
    .COLS (COLS),
    .LANES(LANES),
    .DEPTH(DEPTH)
  ) u_read_address (
    .addr_i     (read_addr),
    .is_mapped_o(read_is_mapped),
    .region_o   (read_region),
    .buffer_o   (read_buffer),
    .major_o    (read_major),
    .minor_o    (read_minor),
    .word_o     (read_word)
  );
  always_ff @(posedge clk_i) if (read) read_region_q <= read_region;
  assign read_data = read_region_q == mx_registers_pkg::RegionRegisters ? register_data
                   : read_region_q == mx_registers_pkg::RegionD ? result_data : memory_data;

  // --- the job
  logic       start, abort, first, last, preload, next_buffer, next_result_buffer, next_stream;
  logic [3:0] next_format_a, next_format_b;
  logic [1:0] next_out_type;
  logic [7:0] blocks, last_elements;
  logic       busy, tile_open, done, in_use, job_buffer, result_buffer, stream;
  logic       fetch, beat_valid, beat_ready, beat_first, beat_last, beat_preload;
  logic       packet, row_valid, row_ready, row_last, tile_done;
  logic [BLOCK_BITS-1:0]                  fetch_block;
  logic [LANE_BITS-1:0]                   beat_lanes;
  logic [mx_pkg::FormatBits-1:0]          format_a, format_b;
  logic [1:0]                             out_type;
  logic [mx_registers_pkg::ErrorBits-1:0] start_error, stream_error;
  logic [ROW_BITS-1:0]                    row;
  logic [COLS*32-1:0]                     row_data;
  assign tile_done = row_valid && row_ready && row_last;
  mx_registers #(
    .ROWS         (ROWS),
    .COLS         (COLS),
    .A_FORMATS    (A_FORMATS),
    .B_FORMATS    (B_FORMATS),
    .DATAPATH     (DATAPATH),
    .FTZ          (FTZ),
    .TERMS        (TERMS),
    .GROUP        (GROUP),
    .FRACTION_BITS(FRACTION_BITS),
    .E_ZERO       (E_ZERO),
    .ROUNDING     (ROUNDING),
    .LANES        (LANES),
    .DEPTH        (DEPTH)
  ) u_registers (
    .clk_i,
    .rst_ni,
    .write_i          (write),
    .write_is_mapped_i(write_is_mapped),
    .write_region_i   (write_region),
    .write_buffer_i   (write_buffer),
    .write_addr_i     (write_addr[mx_registers_pkg::RegisterBits-1:0]),
    .write_data_i     (write_data),
    .write_whole_i    (write_whole),
    .write_resp_o     (write_resp),
    .write_memory_o   (write_memory),
    .read_i           (read),
    .read_is_mapped_i (read_is_mapped),
    .read_addr_i      (read_addr[mx_registers_pkg::RegisterBits-1:0]),
    .read_resp_o      (read_resp),
    .read_data_o      (register_data),
    .start_o          (start),
    .abort_o          (abort),
    .first_o          (first),
    .last_o           (last),
    .preload_o        (preload),
    .buffer_o         (next_buffer),
    .result_buffer_o  (next_result_buffer),
    .stream_o         (next_stream),
    .format_a_o       (next_format_a),
    .format_b_o       (next_format_b),
    .out_type_o       (next_out_type),
    .blocks_o         (blocks),
    .last_elements_o  (last_elements),
    .start_error_i    (start_error),
    .stream_error_i   (stream_error),
    .busy_i           (busy),
    .open_i           (tile_open),
    .done_i           (done),
    .in_use_i         (in_use),
    .in_use_buffer_i  (job_buffer),
    .stalled_i        (beat_valid && !beat_ready),
    .beat_i           (beat_valid && beat_ready &&
                       !(beat_last && fault == mx_registers_pkg::FaultBeatUncounted)),
    .row_i            (row_valid && row_ready),
    .packet_i         (packet),
    .irq_o,
    .fault_i          (fault)
  );
  mx_job #(
    .A_FORMATS(A_FORMATS),
    .B_FORMATS(B_FORMATS),
    .DATAPATH (DATAPATH),
    .DEPTH    (DEPTH)
  ) u_job (
    .clk_i,
    .rst_ni,
    .start_i        (start),
    .abort_i        (abort),
    .first_i        (first),
    .last_i         (last),
    .preload_i      (preload),
    .buffer_i       (next_buffer),
    .result_buffer_i(next_result_buffer),
    .stream_i       (next_stream),
    .format_a_i     (next_format_a),
    .format_b_i     (next_format_b),
    .out_type_i     (next_out_type),
    .blocks_i       (blocks),
    .last_elements_i(last_elements),
    .error_o        (start_error),
    .busy_o         (busy),
    .open_o         (tile_open),
    .done_o         (done),
    .in_use_o       (in_use),
    .buffer_o       (job_buffer),
    .result_buffer_o(result_buffer),
    .stream_o       (stream),
    .fetch_o        (fetch),
    .fetch_block_o  (fetch_block),
    .beat_valid_o   (beat_valid),
    .beat_ready_i   (beat_ready),
    .beat_first_o   (beat_first),
    .beat_last_o    (beat_last),
    .beat_preload_o (beat_preload),
    .beat_lanes_o   (beat_lanes),
    .format_a_o     (format_a),
    .format_b_o     (format_b),
    .out_type_o     (out_type),
    .tile_done_i    (tile_done),
    .fault_i        (fault)
  );

  // --- operands
  logic                                    stream_write, stream_buffer;
  logic [mx_registers_pkg::RegionBits-1:0] stream_region;
  logic [mx_registers_pkg::MajorBits-1:0]  stream_major;
  logic [mx_registers_pkg::MinorBits-1:0]  stream_minor;
  logic [mx_registers_pkg::WordBits-1:0]   stream_word;
  logic [31:0]                             stream_data;
  mx_stream_in #(
    .ROWS (ROWS),
    .COLS (COLS),
    .LANES(LANES),
    .DEPTH(DEPTH)
  ) u_stream (
    .clk_i,
    .rst_ni,
    .tvalid_i       (s_axis_tvalid_i),
    .tready_o       (s_axis_tready_o),
    .tdata_i        (s_axis_tdata_i),
    .tlast_i        (s_axis_tlast_i),
    .in_use_i       (in_use),
    .in_use_buffer_i(job_buffer),
    .host_writes_i  (write_memory),
    .write_o        (stream_write),
    .region_o       (stream_region),
    .buffer_o       (stream_buffer),
    .major_o        (stream_major),
    .minor_o        (stream_minor),
    .word_o         (stream_word),
    .data_o         (stream_data),
    .packet_o       (packet),
    .error_o        (stream_error),
    .fault_i        (fault)
  );
  logic [ROWS*LANES*8-1:0]  a_codes;
  logic [ROWS*8-1:0]        a_scales;
  logic [COLS*LANES*8-1:0]  b_codes;
  logic [COLS*8-1:0]        b_scales;
  logic [ROWS*COLS*32-1:0]  c;
  mx_tile_memory #(
    .ROWS (ROWS),
    .COLS (COLS),
    .LANES(LANES),
    .DEPTH(DEPTH)
  ) u_tile (
    .clk_i,
    .write_i       (rst_ni && (write_memory || stream_write)),
    .write_region_i(write_memory ? write_region : stream_region),
    .write_buffer_i(write_memory ? write_buffer : stream_buffer),
    .write_major_i (write_memory ? write_major : stream_major),
    .write_minor_i (write_memory ? write_minor : stream_minor),
    .write_word_i  (write_memory ? write_word : stream_word),
    .write_data_i  (write_memory ? write_data : stream_data),
    .read_i        (read),
    .read_region_i (read_region),
    .read_buffer_i (read_buffer),
    .read_major_i  (read_major),
    .read_minor_i  (read_minor),
    .read_word_i   (read_word),
    .read_data_o   (memory_data),
    .fetch_i       (fetch),
    .fetch_buffer_i(job_buffer),
    .fetch_block_i (fetch_block),
    .a_codes_o     (a_codes),
    .a_scales_o    (a_scales),
    .b_codes_o     (b_codes),
    .b_scales_o    (b_scales),
    .c_o           (c)
  );

  // --- the array: an abort empties it
  logic                    trace_valid, trace_first, trace_last;
  logic [ROWS*COLS*32-1:0] trace_acc;
  logic [3:0]              trace_stages;
  mx_mac_array #(
    .ROWS         (ROWS),
    .COLS         (COLS),
    .A_FORMATS    (A_FORMATS),
    .B_FORMATS    (B_FORMATS),
    .DATAPATH     (DATAPATH),
    .FTZ          (FTZ),
    .TERMS        (TERMS),
    .GROUP        (GROUP),
    .FRACTION_BITS(FRACTION_BITS),
    .E_ZERO       (E_ZERO),
    .ROUNDING     (ROUNDING)
  ) u_array (
    .clk_i,
    .rst_ni        (rst_ni && !(abort && fault != mx_registers_pkg::FaultAbortKeepsArray)),
    .in_valid_i    (beat_valid),
    .in_ready_o    (beat_ready),
    .in_first_i    (beat_first),
    .in_last_i     (beat_last),
    .in_preload_i  (beat_preload),
    .in_lanes_i    (beat_lanes),
    .format_a_i    (format_a),
    .format_b_i    (format_b),
    .out_type_i    (out_type),
    .a_codes_i     (a_codes),
    .a_scales_i    (a_scales),
    .b_codes_i     (b_codes),
    .b_scales_i    (b_scales),
    .c_i           (c),
    .out_valid_o   (row_valid),
    .out_ready_i   (row_ready),
    .out_row_o     (row),
    .out_last_o    (row_last),
    .out_data_o    (row_data),
    .trace_valid_o (trace_valid),
    .trace_first_o (trace_first),
    .trace_last_o  (trace_last),
    .trace_acc_o   (trace_acc),
    .trace_stages_o(trace_stages),
    .fault_i       ({mx_pkg::FaultBits{1'b0}})
  );
  mx_results #(
    .ROWS(ROWS),
    .COLS(COLS)
  ) u_results (
    .clk_i,
    .rst_ni,
    .valid_i      (row_valid),
    .ready_o      (row_ready),
    .row_i        (row),
    .last_i       (row_last),
    .data_i       (row_data),
    .buffer_i     (result_buffer),
    .stream_i     (stream),
    .abort_i      (abort),
    .tvalid_o     (m_axis_tvalid_o),
    .tready_i     (m_axis_tready_i),
    .tdata_o      (m_axis_tdata_o),
    .tlast_o      (m_axis_tlast_o),
    .tuser_o      (m_axis_tuser_o),
    .read_i       (read),
    .read_buffer_i(read_buffer),
    .read_row_i   (read_major[ROW_BITS-1:0]),
    .read_col_i   (read_minor),
    .read_data_o  (result_data),
    .fault_i      (fault)
  );

  logic unused;
  assign unused = ^{s_axi_awprot_i, s_axi_arprot_i, read_major, fault_i,
                    trace_valid, trace_first, trace_last, trace_acc, trace_stages};
endmodule
