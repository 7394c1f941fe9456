// Package sse is the format in which encrypted objects are stored: streams of sealed chunks, which can be read from any place, and the
// small record that keeps a stream's key in sealed form. FORMAT.md has the bytes.
//
// A stream is cut into chunks of 64 KiB as stored, which is how object servers verify what they read, so a ranged read touches and
// opens only the chunks that hold the range. Each chunk is sealed with AES-256-GCM under a key that only this stream has; its place and whether
// it is the last one are part of its nonce.
//
// Invariant: what a [Reader] gives out was written under the same key, for the same part, at the same place of the same stream, and an end of the
// stream that it reports was the end when it was written. A change of any bit, a chunk that is missing, moved or taken from another
// stream is an error before a byte of the chunk is given out. What it cannot tell is that a whole stream was exchanged for an older
// one under the same key.
//
// Package sse is pure: it knows neither HTTP nor entries, and keeps no keys.
package sse
