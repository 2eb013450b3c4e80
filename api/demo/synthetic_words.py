"""Words for the invented records: names, places, sentences. Only data, none of it about anyone."""

#: Province code -> places that an address may lie in.
PLACES = {
    "11": ("Banda Aceh", "Lhokseumawe", "Meulaboh"),
    "12": ("Medan", "Pematangsiantar", "Sibolga"),
    "13": ("Padang", "Bukittinggi", "Solok"),
    "14": ("Pekanbaru", "Dumai", "Bengkalis"),
    "15": ("Jambi", "Muara Bungo"),
    "16": ("Palembang", "Lubuklinggau", "Prabumulih"),
    "17": ("Bengkulu", "Curup"),
    "18": ("Bandar Lampung", "Metro"),
    "19": ("Pangkalpinang", "Tanjung Pandan"),
    "21": ("Batam", "Tanjungpinang"),
    "31": ("Jakarta Timur", "Jakarta Utara", "Jakarta Selatan"),
    "32": ("Bandung", "Bekasi", "Cirebon", "Garut"),
    "33": ("Semarang", "Surakarta", "Rembang", "Kendal"),
    "34": ("Yogyakarta", "Bantul", "Kulon Progo"),
    "35": ("Surabaya", "Malang", "Banyuwangi", "Sidoarjo"),
    "36": ("Tangerang", "Serang"),
    "51": ("Denpasar", "Singaraja", "Gianyar"),
    "52": ("Mataram", "Bima"),
    "53": ("Kupang", "Ende", "Labuan Bajo"),
    "61": ("Pontianak", "Singkawang", "Ketapang"),
    "62": ("Palangka Raya", "Sampit"),
    "63": ("Banjarmasin", "Kotabaru"),
    "64": ("Samarinda", "Balikpapan", "Penajam"),
    "65": ("Tarakan", "Tanjung Selor"),
    "71": ("Manado", "Bitung"),
    "72": ("Palu", "Morowali", "Poso"),
    "73": ("Makassar", "Luwu Timur", "Parepare"),
    "74": ("Kendari", "Konawe"),
    "75": ("Gorontalo", "Pohuwato"),
    "76": ("Mamuju", "Majene"),
    "81": ("Ambon", "Masohi"),
    "82": ("Ternate", "Halmahera Tengah"),
    "91": ("Jayapura", "Biak"),
    "92": ("Manokwari", "Fakfak"),
    "93": ("Merauke", "Boven Digoel"),
    "94": ("Nabire", "Timika"),
    "95": ("Wamena", "Oksibil"),
    "96": ("Sorong", "Raja Ampat"),
}

MUHAMMADS = (
    "Muhammad Mohammad Mochammad Muchammad Mohamad Muhamad Moh. Muh. Moch. Much. M. Mhd. Mohd."
)
MEN_AFTER_MUHAMMAD = (
    "Yusuf Ridwan Arif Syaiful Rizky Fauzi Ilham Zainal Taufik Hidayat Ramli Syarif Iqbal Jusuf"
)
ONE_WORD_MEN = "Sutrisno Wagimin Paijan Tukimin Sumarno Ngadimin Kasiman Jumadi Slamet Poniman"
ONE_WORD_WOMEN = "Wagiyem Sukinah Ponirah Sumiyati Kasinem Ngatinah Jumirah Tuminah Sulastri"
BALINESE_ORDER = (
    ("Wayan", "Wyn."),
    ("Putu", "Pt."),
    ("Made", "Md."),
    ("Kadek", "Kd."),
    ("Nyoman", "Nym."),
    ("Komang", "Kmg."),
    ("Ketut", "Kt."),
)
BALINESE_MEN = "Sudarta Mertayasa Widiantara Suardana Wirawan Astawa Sukadana Arimbawa Pastika"
BALINESE_WOMEN = "Suastini Ariani Pramesti Widiasih Sulandri Puspawati Ratnadi Sukerti Yuliani"
NICKNAMES = (
    "Ucup Bejo Gondrong Ucok Butet Kang Asep Mbak Yanti Bung Tomi Cak Nardi Tole Genduk Uda Ujang "
    "Mak Iyah Teh Neneng Daeng Baso Ompu Lawe Mace Yosefa Pace Yance Bli Gus"
)
TITLES_MEN = ("H.", "Drs.", "Ir.", "Dr.", "K.H.", "H.")
TITLES_WOMEN = ("Hj.", "Dra.", "Ir.", "Dr.", "Hj.", "Ns.")
DEGREES = ("S.H.", "S.Pd.", "S.Sos.", "M.Si.", "S.H., M.H.", "S.Kom.", "S.Ag.", "A.Md.")
STREETS = (
    "Jl. Melati",
    "Jl. Kenanga",
    "Jl. Cempaka",
    "Gg. Mawar",
    "Jl. Rajawali",
    "Jl. Pelita",
    "Jl. Gotong Royong",
    "Gg. Damai",
    "Dusun Sukamaju",
    "Kampung Baru",
)
#: Where somebody is, stricter than a name.
WHEREABOUTS = (
    "Rumah aman {number}, {place}",
    "Menumpang di rumah kerabat, {place}, sampai keadaan tenang",
    "Wisma mitra, kamar {number}, {place}",
    "Berpindah antara {place} dan {other}, terakhir terlihat di {other}",
)

ACCOUNT_OPENINGS = (
    "Pelapor menerangkan bahwa pada {day} di {place}, {first} mengalami {incident}.",
    "Menurut saksi, sejak {day} {first} didatangi orang tak dikenal di {place}: {incident}.",
    "Pengaduan diterima melalui telepon. {first}, yang bekerja di {place}, melaporkan {incident} "
    "pada {day}.",
    "Laporan jaringan: {incident} terhadap {first} di {place}, terakhir pada {day}.",
)
ACCOUNT_CIRCUMSTANCES = (
    "Pihak yang diduga: {adversary}.",
    "Diduga terkait {adversary} setelah warga menolak penggusuran.",
    "Kejadian menyusul siaran pers tentang {adversary}.",
    "Korban menyebut keterlibatan {adversary}; bukti rekaman disimpan keluarga.",
)
ACCOUNT_RISKS = (
    "Risiko dinilai tinggi karena alamat rumah sudah beredar.",
    "Keluarga meminta agar nama tidak disebut kepada pihak mana pun.",
    "Pendamping menyarankan pindah sementara dan mengganti nomor.",
    "Belum ada laporan polisi; korban takut dikriminalisasi.",
    "Pemantauan harian lewat telepon disepakati sampai minggu depan.",
)
NOTES = (
    "Menghubungi {first}; kondisi stabil, minta dihubungi hanya malam hari.",
    "Pendamping {first} menyerahkan kronologi tertulis.",
    "Rapat kasus: penilaian risiko {first} diulang minggu depan.",
    "Kendaraan yang sama terlihat lagi di dekat rumah {first}.",
    "{first} setuju identitasnya tidak dibagikan kepada mitra.",
)
SUMMARIES = (
    "Seorang pembela HAM di wilayah {province} mengalami {incident} dan memerlukan pendampingan.",
    "Dukungan diperlukan bagi seorang pembela HAM di {province} setelah {incident}.",
)

#: Agency -> subjects of its members: two intake officers, three case officers, at LPSK two
#: protection officers, then supervisor, lead, security officer, operator.
STAFF = {
    "komnas-ham": "dewi agus sari rizal maria budi hartono tuti eko",
    "komnas-perempuan": "lestari nina ayu rahma yuni endang kartini wulan joko",
    "lpsk": "fitri bayu andi mega doni wayan surya hasan indah ketut gilang",
}
