/**
 * Streams and servers whose every blocking call can be killed, timed out and aborted, and loses no byte by it.
 *
 * | To... | Use |
 * | --- | --- |
 * | connect to a server | {@linkcode TcpClient} |
 * | be one | {@linkcode TcpServer}, {@linkcode TcpConnection} |
 * | the same with encryption | {@linkcode TlsClient}, {@linkcode TlsServer}, {@linkcode TlsConnection} |
 * | the same on this machine, by a path | {@linkcode PipeClient}, {@linkcode PipeServer}, {@linkcode PipeConnection} |
 * | send and receive datagrams | {@linkcode UdpEndpoint} |
 * | read and write files | {@linkcode openFile}, {@linkcode FileStream} |
 * | use a descriptor that the program was given | {@linkcode PipeStream} |
 * | talk to the user | {@linkcode StdinStream}, {@linkcode StdoutStream}, {@linkcode TtyStream} |
 * | answer HTTP requests, and give out files | {@linkcode HttpServer}, {@linkcode streamResponse}, {@linkcode serveFiles} |
 * | talk to a browser | {@linkcode upgrade}, {@linkcode WebSocketConnection} |
 * | read and write any of them | {@linkcode BaseStream} |
 * | know what went wrong | {@linkcode StreamError} and its subclasses |
 *
 * @module
 */
export { BaseStream, type LinesOptions } from "./base_stream.ts";
export { ClientStream } from "./client_stream.ts";
export { type Errno, errno } from "./errno.ts";
export { type FileOptions, FileStream, openFile } from "./file_stream.ts";
export {
  type HttpAddress,
  type HttpHandler,
  HttpServer,
  type HttpServerOptions,
} from "./http_server.ts";
export { PipeClient } from "./pipe_client.ts";
export { PipeConnection } from "./pipe_connection.ts";
export { PipeServer } from "./pipe_server.ts";
export { PipeStream } from "./pipe_stream.ts";
export { serveFiles } from "./serve_files.ts";
export { StandardStream, StderrStream, StdinStream, StdoutStream } from "./standard_streams.ts";
export { StreamConnection } from "./stream_connection.ts";
export {
  BufferLimitError,
  FileError,
  IncompleteReadError,
  PipeError,
  StreamError,
  type StreamErrorOptions,
  TcpError,
  TlsError,
  TtyError,
} from "./stream_error.ts";
export { type BindOptions, StreamServer } from "./stream_server.ts";
export { type BodyParts, streamResponse } from "./stream_response.ts";
export {
  type ConnectOptions,
  type StartTlsOptions,
  TcpClient,
  type TcpTarget,
} from "./tcp_client.ts";
export { TcpConnection } from "./tcp_connection.ts";
export { TcpServer } from "./tcp_server.ts";
export { TlsClient, type TlsTarget } from "./tls_client.ts";
export { TlsConnection } from "./tls_connection.ts";
export { type TlsAddress, TlsServer } from "./tls_server.ts";
export { TtyStream, type WindowSize } from "./tty_stream.ts";
export { UdpEndpoint, UdpError } from "./udp_endpoint.ts";
export type {
  Arrivals,
  Listener,
  SocketTransport,
  TcpSocket,
  TlsSocket,
  TlsUpgrade,
  Transport,
} from "./transport.ts";
export { upgrade, type UpgradeOptions } from "./upgrade.ts";
export {
  WebSocketConnection,
  type WebSocketLimits,
  type WebSocketMessage,
} from "./web_socket_connection.ts";
