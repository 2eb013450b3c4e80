"""The access log: who did what to which record, why, and under which rule; append-only.

FORMAT.md defines every byte. The life of a leaf: `event` writes it down, `ledger`
makes it durable and gives its index, `checkpoint` signs for it, `cosigning` has
witnesses vouch for that and `quorum` looks whether enough of them do, `reader` and
`search` find it, `proofs` show that it is there, `verify` checks that nothing of the
log was changed, `export` carries it off the host. `witness` is the other side: it runs
elsewhere, for anybody's log.
"""
