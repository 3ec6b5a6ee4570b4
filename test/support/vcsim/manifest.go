package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/vmware/govmomi/vim25/types"
)

// digest of a stream that was sent.
type digest struct {
	sha1, sha256 string
	size         int64
}

// digester follows a stream.
type digester struct {
	sha1, sha256 hash.Hash
	size         int64
}

func newDigester() *digester { return &digester{sha1: sha1.New(), sha256: sha256.New()} }

func (d *digester) add(p []byte) {
	d.sha1.Write(p)
	d.sha256.Write(p)
	d.size += int64(len(p))
}

func (d *digester) sum() digest {
	return digest{hex.EncodeToString(d.sha1.Sum(nil)), hex.EncodeToString(d.sha256.Sum(nil)), d.size}
}

// entry tells it as servers do: older ones SHA-1 alone, newer ones the checksum of the kind that was asked for.
func (d digest) entry(key, kind string) types.HttpNfcLeaseManifestEntry {
	entry := types.HttpNfcLeaseManifestEntry{Key: key, Sha1: d.sha1, Size: d.size, Disk: true}
	switch kind {
	case "sha256":
		entry.Sha1 = ""
		entry.Checksum = d.sha256
		entry.ChecksumType = string(types.HttpNfcLeaseManifestEntryChecksumTypeSha256)
	case "wrong":
		entry.Sha1 = hex.EncodeToString(make([]byte, sha1.Size))
	}
	return entry
}
