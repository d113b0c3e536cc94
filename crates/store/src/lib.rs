//! The study store: Optuna's relational schema in one SQLite file, so that `optuna.load_study` and optuna-dashboard open a
//! study as it stands. It keeps what it is given and interprets none of it.
