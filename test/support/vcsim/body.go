package main

import (
	"net/http"
	"time"
)

// countedBody counts what a download writes, and slows it down when there is a rate (bytes per second).
type countedBody struct {
	http.ResponseWriter
	count  func([]byte)
	rate   func() int64
	status int
	failed bool
}

// WriteHeader passes on the first status only: the simulator sends one more after the body.
func (b *countedBody) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
		b.ResponseWriter.WriteHeader(status)
	}
}

func (b *countedBody) Write(p []byte) (int, error) {
	if b.status == 0 {
		b.status = http.StatusOK
	}
	n, err := b.ResponseWriter.Write(p)
	b.count(p[:n])
	if err != nil {
		b.failed = true
		return n, err
	}
	if rate := b.rate(); rate > 0 {
		if flusher, ok := b.ResponseWriter.(http.Flusher); ok {
			flusher.Flush()
		}
		time.Sleep(time.Duration(int64(n) * int64(time.Second) / rate))
	}
	return n, nil
}
