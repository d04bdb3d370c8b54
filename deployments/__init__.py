"""What runs where: Render's services, deploys and variables, and Supabase's edge functions."""
