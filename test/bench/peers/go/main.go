// echo: Go's standard library as everybody uses it: a goroutine per client, Read,
// Write. The byte loop goes through words of eight, for Go's compiler makes no
// vector loops.
package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
)

const bufferSize = 64 * 1024

// uppercase works on eight bytes at once: bit 7 of each byte of `lowercase`
// says whether that byte is a letter from 'a' to 'z'.
func uppercase(bytes []byte) {
	const (
		ones = 0x0101010101010101
		high = 0x80 * ones
	)
	for len(bytes) >= 8 {
		word := binary.LittleEndian.Uint64(bytes)
		low := word &^ high
		fromA := low + (0x80-'a')*ones
		pastZ := low + (0x80-'z'-1)*ones
		lowercase := (fromA &^ pastZ) &^ word & high
		binary.LittleEndian.PutUint64(bytes, word^lowercase>>2)
		bytes = bytes[8:]
	}
	for i, byte := range bytes {
		if byte-'a' < 26 {
			bytes[i] = byte ^ 0x20
		}
	}
}

func serve(client net.Conn) {
	defer client.Close()
	buffer := make([]byte, bufferSize)
	for {
		count, err := client.Read(buffer)
		if err != nil {
			return
		}
		uppercase(buffer[:count])
		if _, err := client.Write(buffer[:count]); err != nil {
			return
		}
	}
}

func listen(path string) error {
	os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go serve(client)
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: echo SOCKET")
		os.Exit(64)
	}
	fmt.Fprintln(os.Stderr, listen(os.Args[1]))
	os.Exit(1)
}
