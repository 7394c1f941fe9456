// Package keyring keeps the cluster's master keys and seals small secrets under them: the data keys of encrypted objects, the secrets of
// users.
//
// A ring has any number of master keys, each with a short id. The last one is current and seals; all of them open, so a key is
// rotated by adding one. What was sealed begins with a format byte and the id of its key:
//
//	byte 0        format, 1
//	byte 1        length of the id, 1 … 16
//	id            of the master key
//	24 bytes      random nonce
//	ciphertext    as long as the secret
//	16 bytes      tag
//
// The cipher is XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key that is derived from the master key and the
// first half of the nonce. Plain AES-GCM allows 2³² random nonces under one key, which a store that seals a key for each object
// may reach; this allows 2⁸⁰. The head and the caller's context are authenticated: a secret that was sealed for one purpose
// does not open for another.
//
// Invariant: whatever is opened was sealed by a ring with this master key, for this context, and is whole. Package keyring keeps no
// files and knows nobody's secrets; where master keys come from is the business of package node.
package keyring
