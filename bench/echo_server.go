// An echo server in Go on one processor, which prints its port. (Go leaves files out whose names begin with "_".)
package main

import (
	"fmt"
	"net"
	"runtime"
)

func echo(connection net.Conn) {
	buffer := make([]byte, 65536)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			break
		}
		if _, err := connection.Write(buffer[:n]); err != nil {
			break
		}
	}
	connection.Close()
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go echo(connection)
	}
}
