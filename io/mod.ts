/**
 * Streams and servers whose every blocking call can be killed, timed out and aborted, and loses no byte by it.
 *
 * | To... | Use |
 * | --- | --- |
 * | connect to a server | {@linkcode TcpClient} |
 * | be one | {@linkcode TcpServer}, {@linkcode TcpConnection} |
 * | read and write any of them | {@linkcode BaseStream} |
 * | know what went wrong | {@linkcode StreamError} and its subclasses |
 *
 * @module
 */
export { BaseStream, type LinesOptions } from "./base_stream.ts";
export { ClientStream } from "./client_stream.ts";
export { StreamConnection } from "./stream_connection.ts";
export {
  BufferLimitError,
  IncompleteReadError,
  StreamError,
  type StreamErrorOptions,
  TcpError,
} from "./stream_error.ts";
export { type BindOptions, StreamServer } from "./stream_server.ts";
export { TcpClient, type TcpTarget } from "./tcp_client.ts";
export { TcpConnection } from "./tcp_connection.ts";
export { TcpServer } from "./tcp_server.ts";
export type { Listener, SocketTransport, Transport } from "./transport.ts";
